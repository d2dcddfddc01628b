#include "common/calibration/path.h"

#include <cassert>
#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::calibration {
namespace {

using forward::Site;

// What lies on disk of a lane: the residual stream where a layer begins and behind attention, and
// the values inside attention and the MLP.
std::string states_of(int layer) { return fmt::format("states-{:03}", layer); }
constexpr const char* kMiddle = "middle";
constexpr const char* kAttended = "attended";
constexpr const char* kActivated = "activated";

}  // namespace

Path::Path(const model::ModelConfig& config, std::span<const Lane> lanes, PathSettings settings)
    : config_(config),
      lanes_(lanes),
      settings_(std::move(settings)),
      hidden_(static_cast<std::size_t>(config.hidden)),
      pass_(config, settings_.compute, settings_.n_threads) {}

std::filesystem::path Path::file(const std::string& what, std::size_t lane) const {
  return settings_.folder / fmt::format("lane-{}", lane) / what;
}

std::string Path::tag(const std::string& what, std::size_t lane) const {
  return fmt::format("{} {} of lane {}", settings_.tag, what, lane);
}

bool Path::has_states(int layer) const {
  const std::string what = states_of(layer);
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    if (!HiddenStates::open(file(what, lane), tag(what, lane), lanes_[lane].n_tokens(), hidden_)) {
      return false;
    }
  }
  return true;
}

void Path::embed(const forward::WeightSource& weights) {
  const std::string what = states_of(0);
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    HiddenStatesWriter out(file(what, lane), tag(what, lane));
    for (const Batch& batch : lanes_[lane].batches) {
      const auto ids =
          std::span(lanes_[lane].ids).subspan(batch.first_token, batch.windows.n_tokens());
      out.write(forward::embed(weights, ids, hidden_));
    }
    out.finish();
  }
}

void Path::begin(std::size_t lane, const std::string& stream, const char* inner,
                 const std::string& out) {
  const auto missing = [&](const std::string& what) {
    return base::CheckpointError(fmt::format("cannot go on from {}", base::shown(file(what, lane))),
                                 "it was removed or damaged while the run was under way",
                                 "run the same command again: it begins this layer anew");
  };
  out_.reset();  // of a step that was left
  inner_.reset();
  auto found_stream =
      HiddenStates::open(file(stream, lane), tag(stream, lane), lanes_[lane].n_tokens(), hidden_);
  if (!found_stream) throw missing(stream);
  stream_.emplace(*std::move(found_stream));
  if (inner != nullptr) {
    auto found_inner = stage::ScratchReader::open(file(inner, lane), tag(inner, lane));
    if (!found_inner) throw missing(inner);
    inner_.emplace(*std::move(found_inner));
  }
  if (!out.empty()) out_.emplace(file(out, lane), tag(out, lane));
}

void Path::open(int layer, Site site, std::size_t lane) {
  assert(site != Site::kHeadIn);
  site_ = site;
  const std::string states = states_of(layer);
  if (site == Site::kAttnIn) begin(lane, states, nullptr, "");
  if (site == Site::kAttnOut) begin(lane, states, nullptr, kAttended);
  if (site == Site::kMlpIn) begin(lane, states, kAttended, kMiddle);
  if (site == Site::kMlpDown) begin(lane, kMiddle, nullptr, kActivated);
}

Path::AtSite Path::next(const forward::Layer& weights, const Batch& batch) {
  const std::size_t n = batch.windows.n_tokens();
  AtSite at{nullptr, stream_->read(batch.first_token, n)};
  if (site_ == Site::kAttnIn) {
    at.x = &pass_.attention_input(weights, at.h);
  } else if (site_ == Site::kAttnOut) {
    at.x = &pass_.attend(weights, batch.windows, pass_.attention_input(weights, at.h));
    out_->write({at.x->data(), n * at.x->row_bytes()});
  } else if (site_ == Site::kMlpIn) {
    const linalg::Matrix& attended = read_inner(batch.first_token, n, weights.o.weight.columns());
    pass_.attention_output(weights, attended, at.h);
    out_->write(std::as_bytes(std::span(at.h)));
    at.x = &pass_.mlp_input(weights, at.h);
  } else {
    at.x = &pass_.mlp_activation(weights, pass_.mlp_input(weights, at.h));
    out_->write({at.x->data(), n * at.x->row_bytes()});
  }
  return at;
}

void Path::close() {
  if (out_) out_->finish();
  out_.reset();
  stream_.reset();
  inner_.reset();
}

void Path::end_layer(int layer, const forward::Layer& weights) {
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    begin(lane, kMiddle, kActivated, states_of(layer + 1));
    for (const Batch& batch : lanes_[lane].batches) {
      const std::size_t n = batch.windows.n_tokens();
      std::vector<float> h = stream_->read(batch.first_token, n);
      pass_.mlp_output(weights, read_inner(batch.first_token, n, weights.down.weight.columns()), h);
      out_->write(std::as_bytes(std::span(h)));
    }
    close();
  }
  std::error_code ignored;
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    for (const std::string& what : {states_of(layer), std::string(kMiddle), std::string(kAttended),
                                    std::string(kActivated)}) {
      std::filesystem::remove(file(what, lane), ignored);
    }
  }
}

const linalg::Matrix& Path::read_inner(std::size_t first, std::size_t n, std::size_t width) {
  values_.reshape(n, width, settings_.compute);
  inner_->read_at(first * values_.row_bytes(), {values_.data(), n * values_.row_bytes()});
  return values_;
}

}  // namespace lq::calibration

#include "common/calibration/hidden_stream.h"

#include <cassert>
#include <fmt/format.h>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::calibration {
namespace {

using forward::Site;

// What lies on disk of a lane: the residual stream where a layer begins and behind attention, and
// the values inside attention and the MLP.
std::string states_of(int layer) { return fmt::format("states-{:03}", layer); }
std::string middle_of(int layer) { return fmt::format("middle-{:03}", layer); }
std::string attended_of(int layer) { return fmt::format("attended-{:03}", layer); }
std::string activated_of(int layer) { return fmt::format("activated-{:03}", layer); }

}  // namespace

HiddenStream::HiddenStream(const model::ModelConfig& config, std::span<const Lane> lanes,
                           StreamSettings settings)
    : config_(config),
      lanes_(lanes),
      settings_(std::move(settings)),
      hidden_(static_cast<std::size_t>(config.hidden)),
      pass_(config, settings_.compute, settings_.n_threads) {}

std::filesystem::path HiddenStream::file(const std::string& what, std::size_t lane) const {
  return settings_.folder / fmt::format("lane-{}", lane) / what;
}

std::string HiddenStream::tag(const std::string& what, std::size_t lane) const {
  return fmt::format("{} {} of lane {}", settings_.tag, what, lane);
}

bool HiddenStream::has_states(int layer) const {
  const std::string what = states_of(layer);
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    if (!HiddenStates::open(file(what, lane), tag(what, lane), lanes_[lane].n_tokens(), hidden_)) {
      return false;
    }
  }
  return true;
}

void HiddenStream::embed(const forward::WeightSource& weights) {
  const std::string what = states_of(0);
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    write_embeddings(weights, lanes_[lane], hidden_, file(what, lane), tag(what, lane));
  }
}

void HiddenStream::begin(std::size_t lane, const std::string& stream, const std::string& inner,
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
  if (!inner.empty()) {
    auto found_inner = stage::ScratchReader::open(file(inner, lane), tag(inner, lane));
    if (!found_inner) throw missing(inner);
    inner_.emplace(*std::move(found_inner));
  }
  if (!out.empty()) out_.emplace(file(out, lane), tag(out, lane));
}

void HiddenStream::open(int layer, Site site, std::size_t lane) {
  assert(site != Site::kHeadIn);
  site_ = site;
  const std::string states = states_of(layer);
  if (site == Site::kAttnIn) begin(lane, states, "", "");
  if (site == Site::kAttnOut) begin(lane, states, "", attended_of(layer));
  if (site == Site::kMlpIn) begin(lane, states, attended_of(layer), middle_of(layer));
  if (site == Site::kMlpDown) begin(lane, middle_of(layer), "", activated_of(layer));
}

HiddenStream::AtSite HiddenStream::next(const forward::Layer& weights, const Batch& batch) {
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

void HiddenStream::close() {
  if (out_) out_->finish();
  out_.reset();
  stream_.reset();
  inner_.reset();
}

void HiddenStream::end_layer(int layer, const forward::Layer& weights) {
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    begin(lane, middle_of(layer), activated_of(layer), states_of(layer + 1));
    for (const Batch& batch : lanes_[lane].batches) {
      const std::size_t n = batch.windows.n_tokens();
      std::vector<float> h = stream_->read(batch.first_token, n);
      pass_.mlp_output(weights, read_inner(batch.first_token, n, weights.down.weight.columns()), h);
      out_->write(std::as_bytes(std::span(h)));
    }
    close();
  }
}

void HiddenStream::forget_before(int layer) const {
  std::error_code ignored;
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    for (int before = 0; before < layer; ++before) {
      for (const std::string& what :
           {states_of(before), middle_of(before), attended_of(before), activated_of(before)}) {
        std::filesystem::remove(file(what, lane), ignored);
      }
    }
  }
}

const linalg::Matrix& HiddenStream::read_inner(std::size_t first, std::size_t n,
                                               std::size_t width) {
  values_.reshape(n, width, settings_.compute);
  inner_->read_at(first * values_.row_bytes(), {values_.data(), n * values_.row_bytes()});
  return values_;
}

}  // namespace lq::calibration

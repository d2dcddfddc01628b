#include "common/calibration/hidden_states.h"

#include <utility>

#include "common/forward/layer.h"

namespace lq::calibration {

std::optional<HiddenStates> HiddenStates::open(const std::filesystem::path& path,
                                               const std::string& tag, std::size_t n_tokens,
                                               std::size_t hidden) {
  auto file = stage::ScratchReader::open(path, tag);
  if (!file || file->size() != n_tokens * hidden * sizeof(float)) return std::nullopt;
  return HiddenStates(*std::move(file), hidden);
}

std::vector<float> HiddenStates::read(std::size_t first, std::size_t n) const {
  std::vector<float> rows(n * hidden_);
  file_.read_at(first * hidden_ * sizeof(float), std::as_writable_bytes(std::span(rows)));
  return rows;
}

void write_embeddings(const forward::WeightSource& weights, const Lane& lane, std::size_t hidden,
                      std::filesystem::path path, const std::string& tag) {
  HiddenStatesWriter out(std::move(path), tag);
  for (const Batch& batch : lane.batches) {
    const auto ids = std::span(lane.ids).subspan(batch.first_token, batch.windows.n_tokens());
    out.write(forward::embed(weights, ids, hidden));
  }
  out.finish();
}

}  // namespace lq::calibration

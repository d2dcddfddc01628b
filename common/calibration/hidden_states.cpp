#include "common/calibration/hidden_states.h"

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

}  // namespace lq::calibration

#include "common/calibration/importance_matrix.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/calibration/importance_dat.h"
#include "common/calibration/importance_gguf.h"
#include "common/gguf/format.h"
#include "common/io/input_file.h"

namespace lq::calibration {
namespace {

bool is_gguf(const io::InputFile& file) {
  std::array<char, gguf::kMagic.size()> magic = {};
  if (file.size() < magic.size()) return false;
  file.read_at(0, std::as_writable_bytes(std::span(magic)));
  return magic == gguf::kMagic;
}

void check_values(const std::filesystem::path& path, const ImportanceMatrix& matrix) {
  for (const auto& [name, entry] : matrix.entries) {
    const auto is_bad = [](float value) { return !std::isfinite(value) || value < 0; };
    const auto bad = std::ranges::find_if(entry.values, is_bad);
    if (bad == entry.values.end()) continue;
    throw base::ValidationError(
        fmt::format("cannot read importance matrix {}", base::shown(path)),
        fmt::format("the entry of `{}` has the value {} in column {}", base::escape_controls(name),
                    *bad, bad - entry.values.begin()),
        "collect the importance matrix again");
  }
}

}  // namespace

const ImportanceEntry* ImportanceMatrix::find(std::string_view tensor) const {
  const auto entry = entries.find(tensor);
  return entry == entries.end() ? nullptr : &entry->second;
}

ImportanceMatrix read_importance(const std::filesystem::path& path) {
  const io::InputFile file(path);
  ImportanceMatrix matrix = is_gguf(file) ? read_importance_gguf(path) : read_importance_dat(file);
  check_values(path, matrix);
  return matrix;
}

std::size_t floor_importance(std::span<float> values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value);
  if (sum == 0) {
    std::ranges::fill(values, 1.0F);
    return values.size();
  }
  const auto mean = static_cast<float>(sum / static_cast<double>(values.size()));
  // Of subnormal importance nothing would be left.
  const float floor = std::max(kImportanceFloor * mean, std::numeric_limits<float>::min());
  std::size_t n_raised = 0;
  for (float& value : values) {
    if (value >= floor) continue;
    value = floor;
    ++n_raised;
  }
  return n_raised;
}

}  // namespace lq::calibration

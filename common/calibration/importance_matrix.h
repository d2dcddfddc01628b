#pragma once
// llama.cpp's importance matrix: for each weight matrix the mean squared activation per input column.

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lq::calibration {

struct ImportanceEntry {
  std::vector<float> values;  // [n_matrices * ne0], mean of x^2
};

struct ImportanceMatrix {
  std::map<std::string, ImportanceEntry, std::less<>> entries;  // by GGUF tensor name
  std::vector<std::string> datasets;
  std::uint32_t n_chunks = 0;
  const ImportanceEntry* find(std::string_view tensor) const;
};

/// Reads the GGUF form or the older .dat form, told apart by the magic. Throws ModelNotFoundError, ValidationError
/// (truncated, non-finite or negative values).
ImportanceMatrix read_importance(const std::filesystem::path& path);

/// Columns that were silent during calibration would be erased by an encoder that takes their weight literally.
/// Raises every value to kImportanceFloor times the mean; returns how many were raised. All-zero becomes all-one.
inline constexpr float kImportanceFloor = 1e-4F;
std::size_t floor_importance(std::span<float> values);

}  // namespace lq::calibration

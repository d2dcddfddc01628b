#pragma once
// llama.cpp's importance matrix: for each weight matrix the mean squared activation per input
// column, collected while a model reads calibration texts. Two forms exist.
//
// GGUF: general.type = "imatrix", imatrix.datasets, imatrix.chunk_count, imatrix.chunk_size, and
// per weight two F32 tensors, NAME.in_sum2 with dims [ne0, n_matrices] (sums of squares) and
// NAME.counts with dims [1, n_matrices] (tokens; one count may stand for all matrices). Mean =
// in_sum2 / counts. Other suffixes are passed over.
//
// .dat (older), little endian: i32 n_entries; per entry i32 name length, name, i32 n_calls, i32
// n_values, f32 values that are mean * n_calls; then optionally i32 last chunk, i32 length, name of
// the data set.
//
// Expert matrices have n_matrices > 1; one that no token reached has mean 1 in every column.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lq::calibration {

struct ImportanceEntry {
  std::vector<float> values;  // [n_matrices, ne0], mean of x^2
};

struct ImportanceMatrix {
  std::map<std::string, ImportanceEntry, std::less<>> entries;  // by GGUF tensor name
  std::vector<std::string> datasets;
  std::uint32_t n_chunks = 0;

  /// nullptr when there is none for that tensor.
  const ImportanceEntry* find(std::string_view tensor) const;
};

/// Reads the GGUF form or the older .dat form, told apart by the magic. Throws ModelNotFoundError,
/// ValidationError (truncated, lengths that contradict each other, non-finite or negative values).
ImportanceMatrix read_importance(const std::filesystem::path& path);

/// Columns that were silent during calibration would be erased by an encoder that takes their
/// weight literally. Raises every value to kImportanceFloor times the mean; returns how many were
/// raised. All-zero becomes all-one.
inline constexpr float kImportanceFloor = 1e-4F;
std::size_t floor_importance(std::span<float> values);

}  // namespace lq::calibration

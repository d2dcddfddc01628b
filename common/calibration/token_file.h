#pragma once
// tokens.safetensors: the windows of token ids that a calibration ran on.
//
//   ids      I32 (n_ids)            of all windows, one after the other
//   offsets  I64 (n_windows + 1)    where each window begins in `ids`; then n_ids
//
// The same as JSON, for windows that another program made: [[1, 15, 7], [1, 9]].

#include <cstddef>
#include <filesystem>
#include <string>

#include "common/calibration/windows.h"

namespace lq::calibration {

/// The bytes of the file.
std::string serialize_tokens(const TokenWindows& windows);

/// Reads either kind. Throws ModelNotFoundError for a file that cannot be opened; ValidationError
/// for one of neither kind, broken, without windows, with an empty window, with offsets that do not
/// fit the ids, or with an id that is not below `n_vocab`, the rows of the model's embedding.
TokenWindows read_tokens(const std::filesystem::path& path, std::size_t n_vocab);

}  // namespace lq::calibration

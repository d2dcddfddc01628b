#pragma once
// Values of a GGUF's tensors as float32, decoded block by block.

#include <cstdint>
#include <span>

#include "common/gguf/reader.h"
#include "common/subject/gguf_keys.h"

namespace lq::subject {

/// Throws UnsupportedError for a type that holds no weights (whole numbers, blocks that runtimes keep
/// activations in).
void require_real_values(const gguf::TensorInfo& tensor, const GgufKeys& keys);

/// Elements from `first` on, in the order of the file. Only the blocks that they lie in are read.
/// REQUIRES: they are there, require_real_values(). Throws ValidationError for values that are not
/// finite, and where the file has become shorter. Thread rule: from any thread.
void read_values(const gguf::Reader& reader, const gguf::TensorInfo& tensor, std::uint64_t first,
                 std::span<float> out);

}  // namespace lq::subject

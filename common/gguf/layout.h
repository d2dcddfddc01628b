#pragma once
// From metadata and a tensor list to the exact bytes of a GGUF header and the place of every tensor. The file itself
// is filled by whoever has the tensor bytes: offsets are known before any of them exists.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/codec/codec.h"
#include "common/gguf/metadata.h"

namespace lq::gguf {

inline constexpr std::uint32_t kAlignment = 32;
inline constexpr std::size_t kMaxTensorName = 63;

struct TensorSpec {
  std::string name;
  std::vector<std::uint64_t> dims;  // ne0 first (the row length)
  codec::QuantType type;
  std::uint64_t n_bytes() const;
};

/// One file: header bytes, then tensor i at offsets[i] (absolute), each padded with zeros to kAlignment.
struct Layout {
  std::vector<std::byte> header;        // through the padding before the data section
  std::vector<std::uint64_t> offsets;   // absolute, one per tensor
  std::uint64_t file_bytes = 0;
};

/// Throws UnsupportedError for a name or a shape that the format cannot hold.
Layout lay_out(const Metadata& metadata, const std::vector<TensorSpec>& tensors);

/// A model cut into part files so that none is larger than max_bytes (a tensor above it stands alone).
struct SplitPart {
  Layout layout;
  std::size_t first_tensor = 0, n_tensors = 0;
};
std::vector<SplitPart> lay_out_split(const Metadata& metadata, const std::vector<TensorSpec>& tensors,
                                     std::uint64_t max_bytes);
/// "model.gguf" -> "model-00001-of-00003.gguf"
std::string split_name(const std::string& stem, std::size_t part, std::size_t n_parts);

}  // namespace lq::gguf

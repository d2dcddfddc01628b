#pragma once
// From metadata and a tensor list to the exact bytes of a GGUF header and the place of every
// tensor. The file itself is filled by whoever has the tensor bytes: offsets are known before any
// of them exists. The tensors keep the order in which they are given.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/codec/codec.h"
#include "common/gguf/format.h"
#include "common/gguf/metadata.h"
#include "common/gguf/split.h"

namespace lq::gguf {

struct TensorSpec {
  std::string name;
  std::vector<std::uint64_t> dims;  // ne0 first (the row length)
  codec::QuantType type;
  std::uint64_t n_bytes() const;
};

/// One file: header bytes, then tensor i at offsets[i] (absolute), each padded with zeros to
/// kAlignment.
struct Layout {
  std::vector<std::byte> header;       // through the padding before the data section
  std::vector<std::uint64_t> offsets;  // absolute, one per tensor
  std::uint64_t file_bytes = 0;
};

/// Throws UnsupportedError for a name, a key or a shape that the format cannot hold. REQUIRES:
/// `metadata` does not set another alignment than kAlignment.
Layout lay_out(const Metadata& metadata, const std::vector<TensorSpec>& tensors);

/// A model cut into part files so that none is larger than max_bytes (a tensor above it stands
/// alone).
struct SplitPart {
  Layout layout;
  std::size_t first_tensor = 0, n_tensors = 0;
};

/// Tensors go into the parts in order. The first part carries the metadata, the others only the
/// architecture and the split.* keys; where the metadata leave no room, the first part has no
/// tensors. A model that fits into one file comes back as one part without split.* keys, to be
/// written under its plain name (else split_name()). REQUIRES: `metadata` has no split.* keys.
/// Throws UnsupportedError as lay_out() does, and for more than 65535 parts.
std::vector<SplitPart> lay_out_split(const Metadata& metadata,
                                     const std::vector<TensorSpec>& tensors,
                                     std::uint64_t max_bytes);

}  // namespace lq::gguf

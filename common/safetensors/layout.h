#pragma once
// From a tensor list to the exact bytes of a safetensors header and the place of every tensor:
// offsets are known before any data exists. Tensors are ordered as the reference writer orders
// them, widest type first and then by name, so that the data stays aligned; the header is padded
// with spaces to a multiple of kHeaderAlignment.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/tensor/tensor_source.h"

namespace lq::safetensors {

inline constexpr std::uint64_t kHeaderAlignment = 64;

struct TensorSpec {
  std::string name;
  tensor::DType dtype;
  tensor::Shape shape;

  /// Throws UnsupportedError when that is no whole number of bytes, or does not fit in 64 bits.
  std::uint64_t n_bytes() const;
};

struct Layout {
  std::vector<std::byte> header;  // the length field, the JSON and its padding
  std::vector<std::uint64_t>
      offsets;  // from the start of the file, in the order of the given tensors
  std::uint64_t file_bytes = 0;
};

/// `metadata` becomes `__metadata__`; "format": "pt" is added where it is not set, because loaders
/// look for it. Throws UnsupportedError for a doubled name, a name that is not UTF-8, or a header
/// above the limit of the format.
Layout lay_out(const std::vector<TensorSpec>& tensors,
               std::map<std::string, std::string> metadata = {});

/// The same with the tensors in the given order, for a caller who wants some of them side by side.
/// REQUIRES: each then begins at a multiple of its element size, which readers may rely on.
Layout lay_out_in_order(const std::vector<TensorSpec>& tensors,
                        std::map<std::string, std::string> metadata = {});

/// Bytes of an element that a tensor must be aligned to; 1 for types below a byte.
std::uint64_t alignment_of(tensor::DType dtype);

/// A whole small file: `data` holds the bytes of each tensor. REQUIRES: each as long as its spec
/// says.
std::string serialize(const std::vector<TensorSpec>& tensors, const std::vector<std::string>& data,
                      std::map<std::string, std::string> metadata = {});

}  // namespace lq::safetensors

#pragma once
// Where weights come from: a list of tensors and positioned reads of their bytes. A source never
// holds a whole tensor; callers ask for the rows they need.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/tensor/dtype.h"

namespace lq::tensor {

using Shape = std::vector<std::int64_t>;  // slowest dimension first, as PyTorch prints it

struct TensorInfo {
  std::string name;
  DType dtype;
  Shape shape;                // {} is a scalar
  std::uint64_t n_elems = 0;  // product of shape, checked against overflow by the reader
  std::uint64_t n_bytes = 0;
  std::size_t file = 0;      // index into TensorSource::files()
  std::uint64_t offset = 0;  // of the first byte, from the start of that file
};

/// Thread rule: all members are safe to call at once from several threads.
class TensorSource {
 public:
  virtual ~TensorSource() = default;

  /// In the order of the files and, inside a file, of the offsets.
  virtual std::span<const TensorInfo> tensors() const = 0;
  virtual std::span<const std::filesystem::path> files() const = 0;

  /// Fills `out` with bytes [offset, offset + out.size()) of the tensor.
  /// REQUIRES: that range lies inside the tensor. Throws ValidationError when the file has become
  /// shorter.
  virtual void read(const TensorInfo& tensor, std::uint64_t offset,
                    std::span<std::byte> out) const = 0;

  /// nullptr when there is none of that name. Sources with many tensors override it with an index
  /// of their own.
  virtual const TensorInfo* find(std::string_view name) const;

  /// Bytes delivered by read() so far.
  virtual std::uint64_t bytes_read() const = 0;

  /// What is odd but no error, one sentence each, met while opening; names in them are escaped.
  virtual std::span<const std::string> warnings() const { return {}; }
};

}  // namespace lq::tensor

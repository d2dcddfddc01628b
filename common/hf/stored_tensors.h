#pragma once
// The parts that formats are made of: tensors of a quantized linear as bytes and back, with every
// fault of a file as a ValidationError that names the linear.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/hf/scheme.h"
#include "common/tensor/dtype.h"
#include "common/tensor/tensor_source.h"

namespace lq::hf {

/// The bytes of whole elements, little endian.
template <class Element>
std::vector<std::byte> bytes_of(std::span<const Element> elements) {
  const std::span<const std::byte> bytes = std::as_bytes(elements);
  return {bytes.begin(), bytes.end()};
}

/// Nearest F16 or BF16.
std::vector<std::uint16_t> narrowed(std::span<const float> values, tensor::DType dtype);

/// The tensors of one linear of a checkpoint.
class StoredLinear {
 public:
  /// Both are referred to.
  StoredLinear(const tensor::TensorSource& source, std::string_view module)
      : source_(source), module_(module) {}

  /// nullptr when there is no <module>.<suffix>.
  const tensor::TensorInfo* find(std::string_view suffix) const;
  /// Throws ValidationError when it is missing or not of `dtype` with `n_extents` extents, none 0.
  const tensor::TensorInfo& matrix(std::string_view suffix, tensor::DType dtype,
                                   std::size_t n_extents) const;
  /// Throws ValidationError when it is missing, of another type or shape.
  std::vector<std::uint32_t> words(std::string_view suffix, const tensor::Shape& shape) const;
  std::vector<std::int64_t> integers(std::string_view suffix, const tensor::Shape& shape) const;
  /// Of any float type. Throws ValidationError also for a value that is not finite.
  std::vector<float> floats(std::string_view suffix, const tensor::Shape& shape) const;

  [[noreturn]] void fail(std::string why) const;

 private:
  const tensor::TensorInfo& required(std::string_view suffix) const;
  void require_shape(const tensor::TensorInfo& info, const tensor::Shape& shape) const;
  template <class Element>
  std::vector<Element> elements(std::string_view suffix, tensor::DType dtype,
                                const tensor::Shape& shape) const;

  const tensor::TensorSource& source_;
  std::string_view module_;
};

/// The scheme of codes that take `n_words` words for `n_columns` columns, with scales for `n_groups`
/// groups; empty where no scheme has such numbers.
std::optional<Scheme> scheme_of_sizes(std::int64_t n_words, std::size_t n_columns,
                                      std::int64_t n_groups, bool symmetric);

/// Extents of tensors of `n` elements.
std::int64_t extent(std::size_t n);

}  // namespace lq::hf

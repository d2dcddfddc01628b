#include "common/hf/stored_tensors.h"

#include <cassert>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/hf/bit_packing.h"
#include "common/kernels/convert.h"

namespace lq::hf {
namespace {

std::string shown_shape(const tensor::Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace

std::optional<Scheme> scheme_of_sizes(std::int64_t n_words, std::size_t n_columns,
                                      std::int64_t n_groups, bool symmetric) {
  if (n_words <= 0 || n_groups <= 0 || n_columns == 0) return std::nullopt;
  const auto groups = static_cast<std::size_t>(n_groups);
  for (const int bits : {2, 3, 4, 8}) {
    if (packed_words(n_columns, bits) != static_cast<std::size_t>(n_words)) continue;
    if (n_columns % groups != 0) return std::nullopt;
    return Scheme{bits, groups == 1 ? 0 : n_columns / groups, symmetric};
  }
  return std::nullopt;
}

std::int64_t extent(std::size_t n) { return static_cast<std::int64_t>(n); }

std::vector<std::uint16_t> narrowed(std::span<const float> values, tensor::DType dtype) {
  assert(dtype == tensor::DType::kF16 || dtype == tensor::DType::kBF16);
  std::vector<std::uint16_t> out(values.size());
  auto* bytes = reinterpret_cast<std::byte*>(out.data());
  if (dtype == tensor::DType::kF16) {
    kernels::narrow_to_f16(values, bytes);
  } else {
    kernels::narrow_to_bf16(values, bytes);
  }
  return out;
}

void StoredLinear::fail(std::string why) const {
  throw base::ValidationError(
      fmt::format("cannot read the quantized linear `{}`", base::escape_controls(module_)),
      std::move(why),
      "the weights are damaged, or their quantization_config is of another checkpoint: fetch or "
      "make the model again");
}

const tensor::TensorInfo* StoredLinear::find(std::string_view suffix) const {
  return source_.find(fmt::format("{}.{}", module_, suffix));
}

const tensor::TensorInfo& StoredLinear::required(std::string_view suffix) const {
  const tensor::TensorInfo* info = find(suffix);
  if (info == nullptr) fail(fmt::format("there is no `{}`", suffix));
  return *info;
}

void StoredLinear::require_shape(const tensor::TensorInfo& info, const tensor::Shape& shape) const {
  if (info.shape == shape) return;
  fail(fmt::format("`{}` has the shape {}, not {}",
                   base::escape_controls(info.name.substr(module_.size() + 1)),
                   shown_shape(info.shape), shown_shape(shape)));
}

const tensor::TensorInfo& StoredLinear::matrix(std::string_view suffix, tensor::DType dtype,
                                               std::size_t n_extents) const {
  const tensor::TensorInfo& info = required(suffix);
  if (info.dtype != dtype) {
    fail(fmt::format("`{}` is of type {}, not {}", suffix, tensor::dtype_row(info.dtype).name,
                     tensor::dtype_row(dtype).name));
  }
  if (info.shape.size() != n_extents || info.n_elems == 0) {
    fail(fmt::format("`{}` has the shape {}, not {} extents above 0", suffix,
                     shown_shape(info.shape), n_extents));
  }
  return info;
}

template <class Element>
std::vector<Element> StoredLinear::elements(std::string_view suffix, tensor::DType dtype,
                                            const tensor::Shape& shape) const {
  const tensor::TensorInfo& info = matrix(suffix, dtype, shape.size());
  require_shape(info, shape);
  std::vector<Element> out(info.n_elems);
  source_.read(info, 0, std::as_writable_bytes(std::span(out)));
  return out;
}

std::vector<std::uint32_t> StoredLinear::words(std::string_view suffix,
                                               const tensor::Shape& shape) const {
  return elements<std::uint32_t>(suffix, tensor::DType::kI32, shape);
}

std::vector<std::int64_t> StoredLinear::integers(std::string_view suffix,
                                                 const tensor::Shape& shape) const {
  return elements<std::int64_t>(suffix, tensor::DType::kI64, shape);
}

std::vector<float> StoredLinear::floats(std::string_view suffix, const tensor::Shape& shape) const {
  const tensor::TensorInfo& info = required(suffix);
  require_shape(info, shape);
  if (!tensor::dtype_row(info.dtype).widens) {
    fail(fmt::format("`{}` is of type {}, which holds no real numbers", suffix,
                     tensor::dtype_row(info.dtype).name));
  }
  std::vector<std::byte> bytes(info.n_bytes);
  source_.read(info, 0, bytes);
  std::vector<float> values(info.n_elems);
  const std::size_t bad = kernels::widen_to_f32(info.dtype, bytes, values);
  if (bad != kernels::kAllFinite) fail(fmt::format("value {} of `{}` is not finite", bad, suffix));
  return values;
}

}  // namespace lq::hf

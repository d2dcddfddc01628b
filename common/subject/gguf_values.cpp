#include "common/subject/gguf_values.h"

#include <algorithm>
#include <cassert>
#include <fmt/format.h>
#include <optional>
#include <vector>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/codec/codec.h"
#include "common/kernels/convert.h"

namespace lq::subject {
namespace {

bool is_whole_number(codec::QuantType type) {
  switch (type) {
    case codec::QuantType::kI8:
    case codec::QuantType::kI16:
    case codec::QuantType::kI32:
    case codec::QuantType::kI64:
      return true;
    default:
      return false;
  }
}

}  // namespace

void require_real_values(const gguf::TensorInfo& tensor, const GgufKeys& keys) {
  const codec::Codec& type = codec::codec(tensor.type);
  if (type.decode != nullptr && !is_whole_number(tensor.type)) return;
  keys.refuse(fmt::format("tensor `{}` is of type {}, which holds no weights",
                          base::escape_controls(tensor.name), type.name));
}

void read_values(const gguf::Reader& reader, const gguf::TensorInfo& tensor, std::uint64_t first,
                 std::span<float> out) {
  assert(first <= tensor.n_elems && out.size() <= tensor.n_elems - first);
  const codec::Codec& type = codec::codec(tensor.type);
  const std::uint64_t begin = first / type.block_elems * type.block_elems;
  const std::uint64_t n_blocks =
      (first + out.size() - begin + type.block_elems - 1) / type.block_elems;
  std::vector<std::byte> blocks(n_blocks * type.block_bytes);
  reader.read(tensor, type.bytes_for(begin), blocks);
  std::size_t wrong = kernels::kAllFinite;
  if (const std::optional<tensor::DType> dtype = codec::plain_type(tensor.type)) {
    wrong = kernels::widen_to_f32(*dtype, blocks, out);
  } else if (begin == first && n_blocks * type.block_elems == out.size()) {
    type.decode(blocks.data(), out.data(), out.size());
  } else {
    std::vector<float> values(n_blocks * type.block_elems);
    type.decode(blocks.data(), values.data(), values.size());
    std::ranges::copy(std::span(values).subspan(first - begin, out.size()), out.begin());
  }
  if (!codec::plain_type(tensor.type)) wrong = kernels::first_non_finite(out);
  if (wrong == kernels::kAllFinite) return;
  throw base::ValidationError(
      fmt::format("cannot use the weights of {}", base::shown(reader.files()[tensor.file])),
      fmt::format("element {} of tensor `{}` is not a finite number", first + wrong,
                  base::escape_controls(tensor.name)),
      "get the file from its source again; if that has the same value, the model is damaged");
}

}  // namespace lq::subject

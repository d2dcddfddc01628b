#include "common/safetensors/layout.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/safetensors/header.h"

namespace lq::safetensors {
namespace {

using tensor::DType;

// The reference writer's order of types.
constexpr std::array kTypeOrder = {
    DType::kU64,    DType::kI64,        DType::kF64,        DType::kC64,    DType::kF32,
    DType::kU32,    DType::kI32,        DType::kBF16,       DType::kF16,    DType::kU16,
    DType::kI16,    DType::kF8E5M2FNUZ, DType::kF8E4M3FNUZ, DType::kF8E8M0, DType::kF8E4M3,
    DType::kF8E5M2, DType::kI8,         DType::kU8,         DType::kF6E3M2, DType::kF6E2M3,
    DType::kF4,     DType::kBool};

[[noreturn]] void fail(const std::string& name, std::string why) {
  throw base::UnsupportedError(
      fmt::format("cannot write tensor `{}` to a safetensors file", base::escape_controls(name)),
      std::move(why), "rename or reshape the tensor in the source model");
}

std::vector<std::size_t> given_order(const std::vector<TensorSpec>& tensors) {
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

std::vector<std::size_t> reference_order(const std::vector<TensorSpec>& tensors) {
  std::vector<std::size_t> order = given_order(tensors);
  const auto place = [&](std::size_t i) -> std::pair<std::ptrdiff_t, std::string_view> {
    return {std::ranges::find(kTypeOrder, tensors[i].dtype) - kTypeOrder.begin(), tensors[i].name};
  };
  std::ranges::sort(order, {}, place);
  return order;
}

void require_distinct_names(const std::vector<TensorSpec>& tensors) {
  std::vector<std::string_view> names;
  for (const TensorSpec& tensor : tensors) names.push_back(tensor.name);
  std::ranges::sort(names);
  const auto doubled = std::ranges::adjacent_find(names);
  if (doubled != names.end()) fail(std::string(*doubled), "two tensors have this name");
}

std::string to_text(const nlohmann::ordered_json& json) {
  try {
    return json.dump();
  } catch (const nlohmann::json::type_error&) {
    throw base::UnsupportedError("cannot write a safetensors header",
                                 "a tensor name or a metadata text is not valid UTF-8",
                                 "rename the tensor in the source model");
  }
}

// REQUIRES: `text` is the JSON object.
std::vector<std::byte> header_bytes(std::string text) {
  constexpr std::size_t kLengthBytes = 8;
  const std::size_t unpadded = kLengthBytes + text.size();
  text.append((kHeaderAlignment - unpadded % kHeaderAlignment) % kHeaderAlignment, ' ');
  if (text.size() > kHubHeaderBytes) {
    throw base::UnsupportedError(
        "cannot write a safetensors header",
        fmt::format("it would have {} bytes, more than the {} that readers accept", text.size(),
                    kHubHeaderBytes),
        "write the model in several files");
  }
  std::vector<std::byte> bytes(kLengthBytes + text.size());
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    bytes[i] = static_cast<std::byte>(text.size() >> (8 * i));
  }
  std::ranges::copy(std::as_bytes(std::span(text)), bytes.begin() + kLengthBytes);
  return bytes;
}

Layout lay_out(const std::vector<TensorSpec>& tensors, const std::vector<std::size_t>& order,
               std::map<std::string, std::string> metadata) {
  require_distinct_names(tensors);
  metadata.emplace("format", "pt");
  std::string text = fmt::format(R"({{"__metadata__":{})", to_text(metadata));
  Layout layout;
  layout.offsets.resize(tensors.size());
  std::uint64_t place = 0;
  for (const std::size_t i : order) {
    const TensorSpec& tensor = tensors[i];
    if (tensor.name == "__metadata__") fail(tensor.name, "the format keeps this name for itself");
    const std::uint64_t end = place + tensor.n_bytes();
    const nlohmann::ordered_json entry = {{"dtype", tensor::dtype_row(tensor.dtype).name},
                                          {"shape", tensor.shape},
                                          {"data_offsets", {place, end}}};
    text += fmt::format(",{}:{}", to_text(tensor.name), to_text(entry));
    layout.offsets[i] = place;
    place = end;
  }
  text += '}';
  layout.header = header_bytes(text);
  for (std::uint64_t& offset : layout.offsets) offset += layout.header.size();
  layout.file_bytes = layout.header.size() + place;
  return layout;
}

}  // namespace

std::uint64_t TensorSpec::n_bytes() const {
  auto bits = static_cast<std::uint64_t>(tensor::dtype_row(dtype).bits);
  for (const std::int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(bits, static_cast<std::uint64_t>(extent), &bits)) {
      fail(name, "its shape has a negative extent or too many elements");
    }
  }
  if (bits % 8 != 0) fail(name, fmt::format("its {} bits are no whole number of bytes", bits));
  return bits / 8;
}

Layout lay_out(const std::vector<TensorSpec>& tensors,
               std::map<std::string, std::string> metadata) {
  return lay_out(tensors, reference_order(tensors), std::move(metadata));
}

Layout lay_out_in_order(const std::vector<TensorSpec>& tensors,
                        std::map<std::string, std::string> metadata) {
  return lay_out(tensors, given_order(tensors), std::move(metadata));
}

std::uint64_t alignment_of(DType dtype) {
  return static_cast<std::uint64_t>(std::max(1, tensor::dtype_row(dtype).bits / 8));
}

std::string serialize(const std::vector<TensorSpec>& tensors, const std::vector<std::string>& data,
                      std::map<std::string, std::string> metadata) {
  assert(data.size() == tensors.size());
  const Layout layout = lay_out(tensors, std::move(metadata));
  std::string file(layout.file_bytes, '\0');
  std::ranges::copy(layout.header, std::as_writable_bytes(std::span(file)).begin());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    assert(data[i].size() == tensors[i].n_bytes());
    std::ranges::copy(data[i], file.begin() + static_cast<std::ptrdiff_t>(layout.offsets[i]));
  }
  return file;
}

}  // namespace lq::safetensors

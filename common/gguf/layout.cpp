#include "common/gguf/layout.h"

#include <cassert>
#include <fmt/format.h>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>

#include "common/base/checked.h"
#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::gguf {
namespace {

/// What files can have; leaves room for the header.
constexpr std::uint64_t kMaxDataBytes = std::uint64_t{1} << 62;

[[noreturn]] void fail(std::string_view kind, const std::string& name, std::string why) {
  throw base::UnsupportedError(
      fmt::format("cannot write {} `{}` to a GGUF file", kind, base::escape_controls(name)),
      std::move(why), "rename or reshape it in the source model");
}

class HeaderWriter {
 public:
  std::vector<std::byte> bytes;

  template <class T>
  requires std::is_arithmetic_v<T>
  void put(T value) {
    for (const std::byte byte : std::as_bytes(std::span(&value, 1))) bytes.push_back(byte);
  }
  void put(const std::string& text) {
    put<std::uint64_t>(text.size());
    for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
  }
  template <class T>
  void put(const std::vector<T>& values) {
    put<std::uint64_t>(values.size());
    for (const T& value : values) put(value);
  }

  void put_entry(const std::string& key, const Value& value) {
    put(key);
    const std::size_t position = value.index();
    if (position >= kNumScalarTypes) put(kArrayType);
    const auto type = static_cast<std::uint32_t>(position % kNumScalarTypes);
    put(type < kArrayType ? type : type + 1);
    std::visit([this](const auto& held) { put(held); }, value);
  }
  void put_tensor(const TensorSpec& tensor, std::uint64_t offset) {
    put(tensor.name);
    put(static_cast<std::uint32_t>(tensor.dims.size()));
    for (const std::uint64_t extent : tensor.dims) put(extent);
    put(static_cast<std::uint32_t>(tensor.type));
    put(offset);
  }
};

void check_tensor(const TensorSpec& tensor) {
  if (tensor.name.size() > kMaxTensorName) {
    fail("tensor", tensor.name,
         fmt::format("its name has {} bytes, more than the {} of the format", tensor.name.size(),
                     kMaxTensorName));
  }
  if (tensor.dims.empty() || tensor.dims.size() > kMaxDims) {
    fail("tensor", tensor.name,
         fmt::format("it has {} dimensions instead of 1 to {}", tensor.dims.size(), kMaxDims));
  }
  const codec::Codec& type = codec::codec(tensor.type);
  if (tensor.dims[0] % type.block_elems != 0) {
    fail("tensor", tensor.name,
         fmt::format("its rows of {} elements are no multiple of the {} in a block of {}",
                     tensor.dims[0], type.block_elems, type.name));
  }
  std::uint64_t elems = 1;
  for (const std::uint64_t extent : tensor.dims) {
    if (extent == 0) fail("tensor", tensor.name, "it has a dimension of 0");
    if (__builtin_mul_overflow(elems, extent, &elems) || elems > kMaxElems) {
      fail("tensor", tensor.name, "it has too many elements");
    }
  }
}

void check(const Metadata& metadata, const std::vector<TensorSpec>& tensors) {
  for (const auto& [key, value] : metadata.entries()) {
    if (key.empty() || key.size() > kMaxKey) {
      fail("metadata key", key, fmt::format("it is empty or longer than {} bytes", kMaxKey));
    }
  }
  std::unordered_set<std::string_view> names;
  base::Checked data_bytes = 0;
  for (const TensorSpec& tensor : tensors) {
    check_tensor(tensor);
    data_bytes += align_up(tensor.n_bytes());
    if (data_bytes.above(kMaxDataBytes)) {
      fail("tensor", tensor.name,
           fmt::format("with it the file would pass {}", base::format_bytes(kMaxDataBytes)));
    }
    if (!names.insert(tensor.name).second) fail("tensor", tensor.name, "two have this name");
  }
}

Layout lay_out_checked(const Metadata& metadata, std::span<const TensorSpec> tensors) {
  HeaderWriter writer;
  for (const char c : kMagic) writer.put(c);
  writer.put(kVersion);
  writer.put(static_cast<std::int64_t>(tensors.size()));
  writer.put(static_cast<std::int64_t>(metadata.entries().size()));
  for (const auto& [key, value] : metadata.entries()) writer.put_entry(key, value);
  Layout layout;
  std::uint64_t place = 0;  // check() has bounded the sum
  for (const TensorSpec& tensor : tensors) {
    writer.put_tensor(tensor, place);
    layout.offsets.push_back(place);
    place += align_up(tensor.n_bytes());
  }
  layout.header = std::move(writer.bytes);
  layout.header.resize(align_up(layout.header.size()));
  for (std::uint64_t& offset : layout.offsets) offset += layout.header.size();
  layout.file_bytes = layout.header.size() + place;
  return layout;
}

// The size of a part's file, kept while tensors are added to it.
class PartSize {
 public:
  explicit PartSize(const Metadata& metadata) : header_bytes_(unpadded_header(metadata)) {}
  std::uint64_t with(const TensorSpec& tensor) const {
    return align_up(header_bytes_ + description(tensor)) + data_bytes_ + align_up(tensor.n_bytes());
  }
  void add(const TensorSpec& tensor) {
    header_bytes_ += description(tensor);
    data_bytes_ += align_up(tensor.n_bytes());
  }

 private:
  static std::uint64_t unpadded_header(const Metadata& metadata) {
    HeaderWriter writer;
    for (const auto& [key, value] : metadata.entries()) writer.put_entry(key, value);
    constexpr std::uint64_t kFixed = kMagic.size() + 4 + 8 + 8;
    return kFixed + writer.bytes.size();
  }
  static std::uint64_t description(const TensorSpec& tensor) {
    return 8 + tensor.name.size() + 4 + 8 * tensor.dims.size() + 4 + 8;
  }

  std::uint64_t header_bytes_;  // without padding
  std::uint64_t data_bytes_ = 0;
};

// Where each part ends, as positions in `tensors`.
std::vector<std::size_t> cut(const Metadata& first, const Metadata& later,
                             const std::vector<TensorSpec>& tensors, std::uint64_t max_bytes) {
  std::vector<std::size_t> ends;
  PartSize size(first);
  bool part_may_be_empty = true;  // the first may hold nothing but the metadata
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const bool is_empty = i == (ends.empty() ? 0 : ends.back());
    if (size.with(tensors[i]) > max_bytes && (!is_empty || part_may_be_empty)) {
      ends.push_back(i);
      size = PartSize(later);
      part_may_be_empty = false;
    }
    size.add(tensors[i]);
  }
  ends.push_back(tensors.size());
  return ends;
}

}  // namespace

std::uint64_t TensorSpec::n_bytes() const {
  std::uint64_t elems = 1;
  for (const std::uint64_t extent : dims) elems *= extent;
  return codec::codec(type).bytes_for(elems);
}

Layout lay_out(const Metadata& metadata, const std::vector<TensorSpec>& tensors) {
  check(metadata, tensors);
  return lay_out_checked(metadata, tensors);
}

std::vector<SplitPart> lay_out_split(const Metadata& metadata,
                                     const std::vector<TensorSpec>& tensors,
                                     std::uint64_t max_bytes) {
  check(metadata, tensors);
  Layout whole = lay_out_checked(metadata, tensors);
  std::vector<SplitPart> parts;
  if (whole.file_bytes <= max_bytes) {
    parts.push_back({std::move(whole), 0, tensors.size()});
    return parts;
  }
  // The values of the split keys do not change the size of the header.
  SplitKeys keys = {.n_tensors = static_cast<std::int32_t>(tensors.size())};
  Metadata first = metadata;
  Metadata later;
  if (const Value* architecture = metadata.find(kArchitectureKey)) {
    later.set(std::string(kArchitectureKey), *architecture);
  }
  set_split_keys(first, keys);
  set_split_keys(later, keys);
  const std::vector<std::size_t> ends = cut(first, later, tensors, max_bytes);
  if (ends.size() == 1) {
    parts.push_back({std::move(whole), 0, tensors.size()});
    return parts;
  }
  if (ends.size() > std::numeric_limits<std::uint16_t>::max()) {
    throw base::UnsupportedError(
        "cannot split the model",
        fmt::format("it would have {} parts, more than 65535", ends.size()),
        "choose a larger size for the parts");
  }
  keys.count = static_cast<std::uint16_t>(ends.size());
  std::size_t begin = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    keys.number = static_cast<std::uint16_t>(i);
    Metadata& part_metadata = i == 0 ? first : later;
    set_split_keys(part_metadata, keys);
    const std::size_t n = ends[i] - begin;
    const std::span<const TensorSpec> part_tensors = std::span(tensors).subspan(begin, n);
    parts.push_back({lay_out_checked(part_metadata, part_tensors), begin, n});
    begin = ends[i];
  }
  return parts;
}

}  // namespace lq::gguf

#include "common/gguf/part.h"

#include <bit>
#include <fmt/format.h>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "common/base/text.h"
#include "common/gguf/cursor.h"
#include "common/gguf/format.h"
#include "common/gguf/value_reader.h"

namespace lq::gguf {
namespace {

// The least that an entry or a description takes in the file; what bounds the counts.
constexpr std::uint64_t kMinEntryBytes = 8 + 1 + 4 + 1;
constexpr std::uint64_t kMinDescriptionBytes = 8 + 4 + 4 + 8;

std::string in_quotes(std::string_view name) {
  return fmt::format("`{}`", base::escape_controls(name));
}

class PartReader {
 public:
  explicit PartReader(const io::InputFile& file) : file_(file), cursor_(file) {}

  Part read() {
    check_magic();
    read_version();
    const std::uint64_t n_tensors = cursor_.count("the tensor count", kMinDescriptionBytes);
    const std::uint64_t n_entries = cursor_.count("the metadata count", kMinEntryBytes);
    for (std::uint64_t i = 0; i < n_entries; ++i) read_entry();
    read_alignment();
    part_.tensors.reserve(n_tensors);
    for (std::uint64_t i = 0; i < n_tensors; ++i) read_tensor();
    place_data();
    return std::move(part_);
  }

 private:
  void check_magic() {
    for (const char expected : kMagic) {
      if (cursor_.number<char>("the magic") != expected) {
        cursor_.fail("it does not start with the bytes GGUF");
      }
    }
  }

  void read_version() {
    const auto version = cursor_.number<std::uint32_t>("the version");
    if (version != 0 && (version & 0xFFFFU) == 0) {
      cursor_.fail("it was written for big-endian machines; convert it on this kind of machine");
    }
    if (version < kOldestVersion || version > kVersion) {
      cursor_.fail(fmt::format("it has version {} of the format; versions {} and {} are read",
                               version, kOldestVersion, kVersion));
    }
    part_.version = version;
  }

  void read_entry() {
    std::string key = cursor_.string("a metadata key", kMaxKey);
    if (key.empty()) cursor_.fail("it has an empty metadata key");
    if (part_.metadata.find(key) != nullptr) {
      cursor_.fail(fmt::format("the metadata key {} appears twice", in_quotes(key)));
    }
    Value value = read_value(cursor_, fmt::format("the value of {}", key));
    part_.metadata.set(std::move(key), std::move(value));
  }

  void read_alignment() {
    part_.alignment = kAlignment;
    if (part_.metadata.find(kAlignmentKey) == nullptr) return;
    const auto* alignment = part_.metadata.get<std::uint32_t>(kAlignmentKey);
    if (alignment == nullptr || !std::has_single_bit(*alignment)) {
      cursor_.fail(fmt::format("{} is not a 32-bit power of two", kAlignmentKey));
    }
    part_.alignment = *alignment;
  }

  void read_tensor() {
    TensorInfo tensor;
    tensor.name = cursor_.string("a tensor name", kMaxTensorName);
    if (!names_.insert(tensor.name).second) {
      cursor_.fail(fmt::format("the tensor name {} appears twice", in_quotes(tensor.name)));
    }
    const std::string what = fmt::format("tensor {}", in_quotes(tensor.name));
    const auto n_dims = cursor_.number<std::uint32_t>(what);
    if (n_dims > kMaxDims) {
      cursor_.fail(fmt::format("{} has {} dimensions, more than {}", what, n_dims, kMaxDims));
    }
    for (std::uint32_t i = 0; i < n_dims; ++i) {
      tensor.dims.push_back(cursor_.number<std::uint64_t>(what));
    }
    const auto type_id = cursor_.number<std::uint32_t>(what);
    const codec::Codec* type = codec::find_codec(type_id);
    if (type == nullptr) cursor_.fail(fmt::format("{} has the unknown type {}", what, type_id));
    tensor.type = type->type;
    measure(tensor, *type, what);
    tensor.offset = cursor_.number<std::uint64_t>(what);
    if (tensor.offset != part_.data_bytes) {
      cursor_.fail(fmt::format("{} starts at {} of the data, where the tensors before it end at {}",
                               what, tensor.offset, part_.data_bytes));
    }
    part_.data_bytes += align_up(tensor.n_bytes, part_.alignment);
    part_.tensors.push_back(std::move(tensor));
  }

  void measure(TensorInfo& tensor, const codec::Codec& type, const std::string& what) {
    const std::uint64_t row_elems = tensor.dims.empty() ? 1 : tensor.dims[0];
    if (row_elems % type.block_elems != 0) {
      cursor_.fail(fmt::format("{} has rows of {} elements, no multiple of the {} in a block of {}",
                               what, row_elems, type.block_elems, type.name));
    }
    tensor.n_elems = 1;
    bool too_many = false;
    for (const std::uint64_t extent : tensor.dims) {
      too_many |= __builtin_mul_overflow(tensor.n_elems, extent, &tensor.n_elems);
      too_many |= tensor.n_elems > kMaxElems;
      if (extent == 0) cursor_.fail(fmt::format("{} has a dimension of 0", what));
    }
    if (too_many) cursor_.fail(fmt::format("{} has too many elements", what));
    tensor.n_bytes = type.bytes_for(tensor.n_elems);
    // Checked here for each tensor as well, so that the sum of sizes stays below twice the size of
    // the file.
    if (tensor.n_bytes > file_.size()) truncated(tensor);
  }

  [[noreturn]] void truncated(const TensorInfo& tensor) {
    cursor_.fail(fmt::format("the file is truncated: tensor {} of {} does not fit in its {} bytes",
                             in_quotes(tensor.name), base::format_bytes(tensor.n_bytes),
                             file_.size()));
  }

  void place_data() {
    part_.data_offset = align_up(cursor_.position(), part_.alignment);
    for (TensorInfo& tensor : part_.tensors) {
      tensor.offset += part_.data_offset;
      if (tensor.offset > file_.size() || tensor.n_bytes > file_.size() - tensor.offset) {
        truncated(tensor);
      }
    }
  }

  const io::InputFile& file_;
  Cursor cursor_;
  Part part_;
  std::unordered_set<std::string> names_;
};

}  // namespace

Part read_part(const io::InputFile& file) { return PartReader(file).read(); }

}  // namespace lq::gguf

#include "common/safetensors/header.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/json_events.h"

namespace lq::safetensors {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::size_t kManyDimensions = 64;
constexpr std::string_view kMetadataKey = "__metadata__";

// A tensor as the header has it; `begin` and `end` count from the start of the data.
struct Entry {
  tensor::TensorInfo info;
  std::optional<tensor::DType> dtype;
  bool has_shape = false;
  std::vector<std::uint64_t> data_offsets;
  bool has_offsets = false;

  std::uint64_t begin() const { return data_offsets[0]; }
  std::uint64_t end() const { return data_offsets[1]; }
};

std::string in_quotes(std::string_view name) {
  return fmt::format("`{}`", base::escape_controls(name));
}

class HeaderEvents final : public io::JsonEvents {
 public:
  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;
  std::vector<std::string> warnings;

 protected:
  void value(const io::JsonValue& value) override {
    switch (depth()) {
      case 1:
        return start_entry(value);
      case 2:
        return in_metadata() ? metadata_value(value) : field(value);
      case 3:
        return element(value);
      default:
        return;  // inside a key that we do not know
    }
  }

  void end() override {
    if (depth() == 1 && !in_metadata()) finish_entry();
  }

 private:
  using Kind = io::JsonValue::Kind;

  bool in_metadata() const { return key(0) == kMetadataKey; }
  std::string this_tensor() const { return "tensor " + in_quotes(key(0)); }

  void start_entry(const io::JsonValue& value) {
    if (in_metadata()) {
      if (value.kind != Kind::kObject && value.kind != Kind::kNull) {
        fail("`__metadata__` is not an object of texts");
      }
      return;
    }
    if (value.kind != Kind::kObject)
      fail(fmt::format("{} is not described by an object", this_tensor()));
    entries.emplace_back().info.name = key(0);
  }

  void metadata_value(const io::JsonValue& value) {
    if (value.kind != Kind::kString) {
      fail(fmt::format("`__metadata__` has a value that is not a text, {}", in_quotes(key(1))));
    }
    metadata.emplace(key(1), value.text);
  }

  void field(const io::JsonValue& value) {
    Entry& entry = entries.back();
    if (key(1) == "dtype") {
      if (value.kind != Kind::kString)
        fail(fmt::format("{} has a dtype that is no text", this_tensor()));
      entry.dtype = tensor::dtype_from_name(value.text);
      if (!entry.dtype) {
        fail(fmt::format("{} has the unknown dtype {}", this_tensor(), in_quotes(value.text)));
      }
    } else if (key(1) == "shape") {
      if (value.kind != Kind::kArray)
        fail(fmt::format("{} has a shape that is no array", this_tensor()));
      entry.has_shape = true;
    } else if (key(1) == "data_offsets") {
      if (value.kind != Kind::kArray) {
        fail(fmt::format("{} has data_offsets that are no array", this_tensor()));
      }
      entry.has_offsets = true;
    } else if (!std::exchange(noted_extra_key_, true)) {
      warnings.push_back(fmt::format("{} has the unknown key {}, which is not used", this_tensor(),
                                     in_quotes(key(1))));
    }
  }

  void element(const io::JsonValue& value) {
    Entry& entry = entries.back();
    const bool of_shape = key(1) == "shape";
    if (!of_shape && key(1) != "data_offsets") return;
    constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (value.kind != Kind::kUnsigned || value.number > kLargest) {
      fail(fmt::format("{} has in its {} something else than a whole number from 0 to 2^63 - 1",
                       this_tensor(), key(1)));
    }
    if (of_shape) {
      entry.info.shape.push_back(static_cast<std::int64_t>(value.number));
    } else {
      entry.data_offsets.push_back(value.number);
    }
  }

  void finish_entry() {
    Entry& entry = entries.back();
    for (const auto& [present, name] : {std::pair{entry.dtype.has_value(), "dtype"},
                                        {entry.has_shape, "shape"},
                                        {entry.has_offsets, "data_offsets"}}) {
      if (!present) fail(fmt::format("{} has no {}", this_tensor(), name));
    }
    if (entry.data_offsets.size() != 2) {
      fail(fmt::format("{} has {} data_offsets instead of 2", this_tensor(),
                       entry.data_offsets.size()));
    }
    entry.info.dtype = *entry.dtype;
    if (entry.info.shape.size() > kManyDimensions) {
      warnings.push_back(
          fmt::format("{} has {} dimensions", this_tensor(), entry.info.shape.size()));
    }
  }

  bool noted_extra_key_ = false;
};

class HeaderCheck {
 public:
  HeaderCheck(std::string name, std::uint64_t file_bytes, std::uint64_t data_start)
      : name_(std::move(name)), file_bytes_(file_bytes), data_start_(data_start) {}

  // Rules about sizes and places; `entries` come sorted by place.
  void check(std::vector<Entry>& entries, Data data, std::vector<std::string>& warnings) const {
    std::uint64_t place = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      check_place(entries, i, place);
      place = entries[i].end();
    }
    for (Entry& entry : entries) {
      check_size(entry);
      entry.info.offset = data_start_ + entry.begin();
    }
    check_file_size(place, data, warnings);
  }

 private:
  [[noreturn]] void fail(std::string why) const {
    throw base::ValidationError(
        fmt::format("cannot read {}", name_), std::move(why),
        "fetch the file again, or write it anew with the program that made it");
  }

  void check_place(const std::vector<Entry>& entries, std::size_t i, std::uint64_t place) const {
    const Entry& entry = entries[i];
    const std::string name = in_quotes(entry.info.name);
    if (entry.end() < entry.begin()) {
      fail(fmt::format("tensor {} ends at {}, before its begin at {}", name, entry.end(),
                       entry.begin()));
    }
    if (entry.begin() == place) return;
    if (i == 0) {
      fail(fmt::format("the first tensor, {}, begins at {} instead of 0", name, entry.begin()));
    }
    const bool gap = entry.begin() > place;
    const std::uint64_t bytes = gap ? entry.begin() - place : place - entry.begin();
    fail(fmt::format("tensors {} and {} {} {} bytes", in_quotes(entries[i - 1].info.name), name,
                     gap ? "leave a gap of" : "overlap by", bytes));
  }

  void check_size(Entry& entry) const {
    const std::string name = in_quotes(entry.info.name);
    std::uint64_t elems = 1;
    std::uint64_t bits = 0;
    bool overflow = false;
    for (const std::int64_t extent : entry.info.shape) {
      overflow |= __builtin_mul_overflow(elems, static_cast<std::uint64_t>(extent), &elems);
    }
    const tensor::DTypeRow& row = tensor::dtype_row(entry.info.dtype);
    overflow |= __builtin_mul_overflow(elems, static_cast<std::uint64_t>(row.bits), &bits);
    if (overflow) fail(fmt::format("tensor {} has a shape with too many elements", name));
    if (bits % 8 != 0) {
      fail(fmt::format("tensor {} has {} elements of {} bits, not a whole number of bytes", name,
                       elems, row.bits));
    }
    entry.info.n_elems = elems;
    entry.info.n_bytes = bits / 8;
    if (entry.end() - entry.begin() != entry.info.n_bytes) {
      fail(fmt::format("tensor {} needs {} bytes for its shape and type, but has {}", name,
                       entry.info.n_bytes, entry.end() - entry.begin()));
    }
  }

  void check_file_size(std::uint64_t data_bytes, Data data,
                       std::vector<std::string>& warnings) const {
    const std::uint64_t present = file_bytes_ - data_start_;
    if (data_bytes > present) {
      const std::string why = fmt::format("it is truncated: {} of its {} bytes of data are missing",
                                          data_bytes - present, data_bytes);
      if (data == Data::kComplete) fail(why);
      warnings.push_back(fmt::format("{}: {}", name_, why));
    }
    if (data_bytes < present) {
      fail(fmt::format("{} bytes trail after the last tensor", present - data_bytes));
    }
  }

  std::string name_;
  std::uint64_t file_bytes_;
  std::uint64_t data_start_;
};

// The header's text, after the rules about its length.
std::string read_text(const io::InputFile& file, std::vector<std::string>& warnings) {
  const std::string name = base::shown(file.path());
  const auto fail = [&](std::string why) {
    throw base::ValidationError(fmt::format("cannot read {}", name), std::move(why),
                                "check that it is a safetensors file, or fetch it again");
  };
  if (file.size() < kLengthBytes) {
    fail(fmt::format("it has {} bytes, too few for a safetensors file", file.size()));
  }
  std::array<std::byte, kLengthBytes> stored;
  file.read_at(0, stored);
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    length |= static_cast<std::uint64_t>(stored[i]) << (8 * i);
  }
  if (length > kMaxHeaderBytes) {
    fail(fmt::format("its header claims {} bytes, more than the {} of the format", length,
                     kMaxHeaderBytes));
  }
  if (length > file.size() - kLengthBytes) {
    fail(fmt::format("its header claims {} bytes, but the file has {}", length, file.size()));
  }
  if (length > kHubHeaderBytes) {
    warnings.push_back(fmt::format("{} has a header of {}, which the Hub's own client refuses",
                                   name, base::format_bytes(length)));
  }
  std::string text(length, '\0');
  file.read_at(kLengthBytes, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace

Header parse_header(std::string_view text, std::uint64_t file_bytes, const std::string& name,
                    Data data) {
  const std::string shown = base::escape_controls(name);
  HeaderEvents events;
  events.parse(text, fmt::format("cannot read the header of {}", shown));
  // Tensors without elements share their place with a neighbour and come before it.
  std::ranges::stable_sort(
      events.entries, {}, [](const Entry& entry) { return std::pair(entry.begin(), entry.end()); });
  Header header;
  header.warnings = std::move(events.warnings);
  HeaderCheck(shown, file_bytes, kLengthBytes + text.size())
      .check(events.entries, data, header.warnings);
  if (events.entries.empty()) header.warnings.push_back(fmt::format("{} has no tensors", shown));
  header.metadata = std::move(events.metadata);
  header.tensors.reserve(events.entries.size());
  for (Entry& entry : events.entries) header.tensors.push_back(std::move(entry.info));
  return header;
}

Header read_header(const io::InputFile& file, Data data) {
  std::vector<std::string> warnings;
  const std::string text = read_text(file, warnings);
  Header header = parse_header(text, file.size(), file.path().string(), data);
  header.warnings.insert(header.warnings.begin(), warnings.begin(), warnings.end());
  return header;
}

}  // namespace lq::safetensors

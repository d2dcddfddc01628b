#include "common/calibration/token_file.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <limits>
#include <span>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/input_file.h"
#include "common/io/json_events.h"
#include "common/safetensors/layout.h"
#include "common/safetensors/reader.h"

namespace lq::calibration {
namespace {

constexpr std::uint64_t kMaxJsonBytes = std::uint64_t{512} << 20;
constexpr const char* kIds = "ids";
constexpr const char* kOffsets = "offsets";
constexpr const char* kFix =
    "give the tokens.safetensors of a calibration, or a JSON list of lists of ids";

std::string subject_of(const std::filesystem::path& path) {
  return fmt::format("cannot read token ids from {}", base::shown(path));
}

/// [[1, 15, 7], [1, 9]]
class WindowCollector final : public io::JsonEvents {
 public:
  WindowCollector() : JsonEvents(Outermost::kAny) {}
  TokenWindows windows;

 protected:
  void value(const io::JsonValue& value) override {
    if (depth() == 1 && value.kind != io::JsonValue::Kind::kArray) {
      fail(fmt::format("window {} is no list of ids", windows.n_windows() + 1));
    }
    if (depth() == 2) take_id(value);
  }

  void end() override {
    if (depth() == 1) windows.offsets.push_back(static_cast<std::int64_t>(windows.ids.size()));
  }

  std::string fix() const override { return kFix; }

 private:
  void take_id(const io::JsonValue& value) {
    if (value.kind != io::JsonValue::Kind::kUnsigned ||
        value.number > std::numeric_limits<std::int32_t>::max()) {
      const auto place = static_cast<std::int64_t>(windows.ids.size()) - windows.offsets.back();
      fail(fmt::format("id {} of window {} is no integer from 0 to 2147483647", place + 1,
                       windows.n_windows() + 1));
    }
    windows.ids.push_back(static_cast<std::int32_t>(value.number));
  }
};

TokenWindows read_json(const io::InputFile& file) {
  WindowCollector collector;
  collector.parse(io::read_text(file, kMaxJsonBytes), subject_of(file.path()));
  return std::move(collector.windows);
}

template <class T>
std::vector<T> read_list(const safetensors::Reader& file, const char* name, tensor::DType dtype) {
  const std::string subject = subject_of(file.files()[0]);
  const tensor::TensorInfo* tensor = file.find(name);
  if (tensor == nullptr) {
    throw base::ValidationError(subject, fmt::format("it has no tensor `{}`", name), kFix);
  }
  if (tensor->dtype != dtype || tensor->shape.size() != 1) {
    throw base::ValidationError(
        subject,
        fmt::format("its tensor `{}` is no list of type {}", name, tensor::dtype_row(dtype).name),
        kFix);
  }
  std::vector<T> values(tensor->n_elems);
  file.read(*tensor, 0, std::as_writable_bytes(std::span(values)));
  return values;
}

TokenWindows read_safetensors(const std::filesystem::path& path) {
  const safetensors::Reader file(path);
  return {.ids = read_list<std::int32_t>(file, kIds, tensor::DType::kI32),
          .offsets = read_list<std::int64_t>(file, kOffsets, tensor::DType::kI64)};
}

/// By the content: the length of a safetensors header, in the first eight bytes, ends with a zero
/// byte, and JSON has none.
TokenWindows read_either(const io::InputFile& file) {
  std::string head(std::min<std::uint64_t>(file.size(), 8), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(head)));
  if (head.size() == 8 && head.back() == '\0') return read_safetensors(file.path());
  const std::string_view start = base::trimmed(head);
  if (start.starts_with('[')) return read_json(file);
  throw base::ValidationError(
      subject_of(file.path()),
      head.empty() ? "it is empty" : "it is neither a safetensors file nor a JSON list", kFix);
}

/// What is wrong with the offsets, as a sentence; empty when nothing is.
std::string offsets_problem(const TokenWindows& windows) {
  const std::vector<std::int64_t>& offsets = windows.offsets;
  if (offsets.empty() || offsets.front() != 0) return "its offsets do not begin with 0";
  if (offsets.size() == 1 && windows.ids.empty()) return "it has no windows";
  for (std::size_t w = 0; w < windows.n_windows(); ++w) {
    if (offsets[w + 1] == offsets[w]) return fmt::format("window {} is empty", w + 1);
    if (offsets[w + 1] < offsets[w]) {
      return fmt::format("its offsets go back from {} to {}", offsets[w], offsets[w + 1]);
    }
  }
  if (static_cast<std::uint64_t>(offsets.back()) == windows.ids.size()) return "";
  return fmt::format("its offsets end with {}, but it has {} ids", offsets.back(),
                     windows.ids.size());
}

void check(const TokenWindows& windows, std::size_t n_vocab, const std::string& subject) {
  if (const std::string problem = offsets_problem(windows); !problem.empty()) {
    throw base::ValidationError(subject, problem, kFix);
  }
  for (std::size_t w = 0; w < windows.n_windows(); ++w) {
    for (const std::int32_t id : windows.window(w)) {
      if (static_cast<std::size_t>(id) < n_vocab) continue;  // a negative one is far beyond
      throw base::ValidationError(
          subject,
          fmt::format("window {} has the id {}, but the model has tokens from 0 to {}", w + 1, id,
                      n_vocab - 1),
          "make the windows with the tokenizer of this model");
    }
  }
}

}  // namespace

std::string serialize_tokens(const TokenWindows& windows) {
  const auto bytes_of = [](const auto& values) {
    const auto bytes = std::as_bytes(std::span(values));
    std::string copy(bytes.size(), '\0');
    std::ranges::copy(bytes, std::as_writable_bytes(std::span(copy)).begin());
    return copy;
  };
  const auto n_of = [](const auto& values) { return static_cast<std::int64_t>(values.size()); };
  return safetensors::serialize({{kIds, tensor::DType::kI32, {n_of(windows.ids)}},
                                 {kOffsets, tensor::DType::kI64, {n_of(windows.offsets)}}},
                                {bytes_of(windows.ids), bytes_of(windows.offsets)});
}

TokenWindows read_tokens(const std::filesystem::path& path, std::size_t n_vocab) {
  TokenWindows windows = read_either(io::InputFile(path));
  check(windows, n_vocab, subject_of(path));
  return windows;
}

}  // namespace lq::calibration

#include "common/safetensors/index.h"

#include <charconv>
#include <fmt/format.h>
#include <set>

#include "common/base/text.h"
#include "common/io/input_file.h"
#include "common/io/json_events.h"
#include "common/io/safe_path.h"

namespace lq::safetensors {
namespace {

class IndexEvents final : public io::JsonEvents {
 public:
  Index index;
  void check() const {
    if (!has_map_) fail("it has no `weight_map`");
    if (index.weight_map.empty()) fail("its `weight_map` is empty");
  }

 protected:
  using Kind = io::JsonValue::Kind;

  void value(const io::JsonValue& value) override {
    if (depth() == 1 && key(0) == "weight_map") {
      if (value.kind != Kind::kObject) fail("its `weight_map` is not an object");
      has_map_ = true;
    } else if (depth() == 2 && key(0) == "weight_map") {
      map_tensor(value);
    } else if (depth() == 2 && key(0) == "metadata" && key(1) == "total_size") {
      // Files in use have fractional and textual sizes; nothing depends on it.
      if (value.kind == Kind::kUnsigned) {
        index.total_size = value.number;
      } else {
        index.warnings.emplace_back("the index has a `total_size` that is no whole number");
      }
    }
  }

 private:
  void map_tensor(const io::JsonValue& value) {
    const std::string tensor = base::escape_controls(key(1));
    if (value.kind != Kind::kString) {
      fail(fmt::format("its `weight_map` gives no file name for tensor `{}`", tensor));
    }
    const std::string file = base::escape_controls(value.text);
    if (const auto problem = io::path_problem(value.text)) {
      fail(fmt::format("the file `{}` named for tensor `{}` {}", file, tensor, *problem));
    }
    if (!value.text.ends_with(".safetensors")) {
      fail(
          fmt::format("the file `{}` named for tensor `{}` is no .safetensors file", file, tensor));
    }
    index.weight_map.emplace_back(key(1), value.text);
  }

  bool has_map_ = false;
};

// The number at the end of `text`, which is cut off; nothing unless it has five digits after a
// dash.
std::optional<unsigned> cut_number(std::string_view& text) {
  constexpr std::size_t kDigits = 5;
  if (text.size() < kDigits + 1 || text[text.size() - kDigits - 1] != '-') return std::nullopt;
  const std::string_view digits = text.substr(text.size() - kDigits);
  unsigned number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + kDigits, number);
  if (error != std::errc() || end != digits.data() + kDigits) return std::nullopt;
  text.remove_suffix(kDigits + 1);
  return number;
}

// Whether the i-th of n sorted names is PREFIX-<i+1>-of-<n>.safetensors.
bool is_numbered(std::string_view name, std::size_t i, std::size_t n) {
  constexpr std::string_view kSuffix = ".safetensors";
  constexpr std::string_view kOf = "-of";
  name.remove_suffix(kSuffix.size());
  if (cut_number(name) != n || !name.ends_with(kOf)) return false;
  name.remove_suffix(kOf.size());
  return cut_number(name) == i + 1;
}

void check_names(Index& index) {
  const std::vector<std::string> files = index.files();
  for (std::size_t i = 0; i < files.size() && files.size() > 1; ++i) {
    if (is_numbered(files[i], i, files.size())) continue;
    index.warnings.push_back(
        fmt::format("the index names {} files, and `{}` is not numbered as one of them",
                    files.size(), files[i]));
    return;
  }
}

}  // namespace

std::vector<std::string> Index::files() const {
  std::set<std::string_view> names;
  for (const auto& [tensor, file] : weight_map) names.insert(file);
  return {names.begin(), names.end()};
}

Index read_index(const std::filesystem::path& path) {
  const std::string text = io::read_text_file(path);
  IndexEvents events;
  events.parse(text, fmt::format("cannot read {}", base::shown(path)));
  events.check();
  check_names(events.index);
  return std::move(events.index);
}

}  // namespace lq::safetensors

#include "common/calibration/importance_dat.h"

#include <algorithm>
#include <fmt/format.h>
#include <string>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::calibration {
namespace {

class DatReader {
 public:
  explicit DatReader(const io::InputFile& file) : file_(file) {}

  ImportanceMatrix read() {
    ImportanceMatrix matrix;
    const std::int32_t n_entries = number("the number of entries");
    if (n_entries <= 0) fail(fmt::format("it claims {} entries", n_entries));
    for (std::int32_t i = 0; i < n_entries; ++i) read_entry(matrix);
    // The oldest files end here.
    if (position_ == file_.size()) return matrix;
    const std::int32_t n_chunks = number("the number of chunks");
    matrix.n_chunks = static_cast<std::uint32_t>(std::max(n_chunks, 0));
    if (std::string dataset = text("the name of the data set"); !dataset.empty()) {
      matrix.datasets.push_back(std::move(dataset));
    }
    if (position_ != file_.size()) {
      fail(fmt::format("{} bytes trail after its end", file_.size() - position_));
    }
    return matrix;
  }

 private:
  void read_entry(ImportanceMatrix& matrix) {
    const std::string name = text("the name of an entry");
    const std::string shown = fmt::format("the entry of `{}`", base::escape_controls(name));
    if (name.empty()) fail("an entry has no name");
    const std::int32_t n_calls = number(shown);
    const std::uint64_t n_values = length(shown, sizeof(float));
    if (n_values == 0) fail(fmt::format("{} has no values", shown));
    ImportanceEntry entry{std::vector<float>(n_values)};
    take(std::as_writable_bytes(std::span(entry.values)));
    if (n_calls > 0) {
      for (float& value : entry.values) value /= static_cast<float>(n_calls);
    }
    if (!matrix.entries.emplace(name, std::move(entry)).second) {
      fail(fmt::format("{} appears twice", shown));
    }
  }

  [[noreturn]] void fail(std::string why) const {
    throw base::ValidationError(
        fmt::format("cannot read importance matrix {}", base::shown(file_.path())), std::move(why),
        "check that it is an importance matrix of llama.cpp, or collect it again");
  }

  std::uint64_t left() const { return file_.size() - position_; }

  std::int32_t number(std::string_view what) {
    std::int32_t value = 0;
    if (left() < sizeof(value)) fail(fmt::format("it is truncated: it ends inside {}", what));
    take(std::as_writable_bytes(std::span(&value, 1)));
    return value;
  }

  // A length of things of `size` bytes each that the rest of the file can hold.
  std::uint64_t length(std::string_view what, std::uint64_t size) {
    const std::int32_t n = number(what);
    if (n < 0) fail(fmt::format("{} claims a length of {}", what, n));
    if (static_cast<std::uint64_t>(n) > left() / size) {
      fail(fmt::format("{} claims a length of {}, more than the {} bytes left in the file can hold",
                       what, n, left()));
    }
    return static_cast<std::uint64_t>(n);
  }

  std::string text(std::string_view what) {
    std::string bytes(length(what, 1), '\0');
    take(std::as_writable_bytes(std::span(bytes)));
    return bytes;
  }

  void take(std::span<std::byte> out) {
    file_.read_at(position_, out);
    position_ += out.size();
  }

  const io::InputFile& file_;
  std::uint64_t position_ = 0;
};

}  // namespace

ImportanceMatrix read_importance_dat(const io::InputFile& file) { return DatReader(file).read(); }

}  // namespace lq::calibration

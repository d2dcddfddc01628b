#include "common/gguf/cursor.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::gguf {
namespace {

constexpr std::uint64_t kBufferBytes = std::uint64_t{256} << 10;

}  // namespace

void Cursor::fail(const std::string& why) const {
  throw base::ValidationError(
      fmt::format("cannot read GGUF file {}", base::shown(file_.path())),
      fmt::format("{} (at byte {})", why, position_),
      "fetch the file again, or write it anew with the program that made it");
}

void Cursor::take(std::span<std::byte> out, std::string_view what) {
  if (out.size() > left()) {
    fail(fmt::format("the file is truncated: it ends inside {}", base::escape_controls(what)));
  }
  while (!out.empty()) {
    if (position_ == buffer_begin_ + buffer_.size()) refill();
    const std::size_t begin = position_ - buffer_begin_;
    const std::size_t n = std::min(out.size(), buffer_.size() - begin);
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(begin), n, out.begin());
    out = out.subspan(n);
    position_ += n;
  }
}

void Cursor::refill() {
  buffer_begin_ = position_;
  buffer_.resize(std::min(kBufferBytes, left()));
  file_.read_at(buffer_begin_, buffer_);
}

bool Cursor::boolean(std::string_view what) {
  const auto byte = number<std::uint8_t>(what);
  if (byte > 1) {
    fail(fmt::format("{} has a truth value of {} instead of 0 or 1", base::escape_controls(what),
                     byte));
  }
  return byte == 1;
}

std::string Cursor::string(std::string_view what, std::uint64_t max_bytes) {
  const std::uint64_t length = count(what, 1);
  if (length > max_bytes) {
    fail(fmt::format("{} is {} bytes long, more than the {} allowed", base::escape_controls(what),
                     length, max_bytes));
  }
  std::string text(length, '\0');
  take(std::as_writable_bytes(std::span(text)), what);
  return text;
}

std::uint64_t Cursor::count(std::string_view what, std::uint64_t min_bytes) {
  const auto n = number<std::uint64_t>(what);
  if (n > left() / min_bytes) {
    fail(fmt::format("{} claims a length of {}, more than the {} bytes left in the file can hold",
                     base::escape_controls(what), n, left()));
  }
  return n;
}

}  // namespace lq::gguf

#pragma once
// Reads numbers and strings from the front of a GGUF file, in order and through a small buffer.
// Nothing is allocated on the word of the file: every length is held against what is left of it
// first.

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/io/input_file.h"

namespace lq::gguf {

class Cursor {
 public:
  explicit Cursor(const io::InputFile& file) : file_(file) {}

  template <class T>
  requires std::integral<T> || std::floating_point<T> T number(std::string_view what) {
    std::array<std::byte, sizeof(T)> bytes;
    take(bytes, what);
    return std::bit_cast<T>(bytes);
  }
  /// A byte that is 0 or 1.
  bool boolean(std::string_view what);
  /// Throws as well when it has more than `max_bytes`.
  std::string string(std::string_view what, std::uint64_t max_bytes);
  /// A count of things that take at least `min_bytes` each. Throws when the rest of the file cannot
  /// hold that many.
  std::uint64_t count(std::string_view what, std::uint64_t min_bytes);

  /// From the start of the file.
  std::uint64_t position() const { return position_; }

  /// Throws ValidationError that names the file and the position.
  [[noreturn]] void fail(const std::string& why) const;

 private:
  std::uint64_t left() const { return file_.size() - position_; }
  void take(std::span<std::byte> out, std::string_view what);
  void refill();

  const io::InputFile& file_;
  std::uint64_t position_ = 0;
  std::vector<std::byte> buffer_;  // holds [buffer_begin_, buffer_begin_ + buffer_.size())
  std::uint64_t buffer_begin_ = 0;
};

}  // namespace lq::gguf

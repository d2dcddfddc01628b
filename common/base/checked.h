#pragma once
// Sizes computed from numbers of a file: products and sums that remember having left 64 bits
// instead of wrapping.

#include <cstdint>
#include <optional>

namespace lq::base {

/// An unsigned number; once an operation has overflowed, it has no value any more.
class Checked {
 public:
  constexpr Checked(std::uint64_t value) : value_(value) {}  // NOLINT: a number is one

  constexpr Checked& operator*=(Checked other) {
    overflowed_ |= other.overflowed_ || __builtin_mul_overflow(value_, other.value_, &value_);
    return *this;
  }
  constexpr Checked& operator+=(Checked other) {
    overflowed_ |= other.overflowed_ || __builtin_add_overflow(value_, other.value_, &value_);
    return *this;
  }
  friend constexpr Checked operator*(Checked a, Checked b) { return a *= b; }
  friend constexpr Checked operator+(Checked a, Checked b) { return a += b; }

  constexpr std::optional<std::uint64_t> value() const {
    return overflowed_ ? std::nullopt : std::optional(value_);
  }
  constexpr bool above(std::uint64_t limit) const { return overflowed_ || value_ > limit; }

 private:
  std::uint64_t value_;
  bool overflowed_ = false;
};

}  // namespace lq::base

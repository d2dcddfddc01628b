#pragma once
// What is counted of the bytes of tensors on the way through them (pass.h): values, codes, zero
// points, groups, blocks. Judging them is left to the checks of a container.

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <mutex>
#include <span>
#include <vector>

#include "common/codec/codec.h"
#include "common/codec/scale_fields.h"
#include "common/soundness/pass.h"
#include "common/tensor/dtype.h"

namespace lq::soundness {

/// Magnitudes by the exponent field of float32, and what is no ordinary number.
struct Magnitudes {
  static constexpr std::size_t kExponents = 256;  // 0: subnormal or zero, 255: NaN or infinite
  std::uint64_t n = 0, n_nan = 0, n_infinite = 0, n_zero = 0;
  std::uint64_t n_subnormal = 0;  // in the type that they are stored in
  std::array<std::uint64_t, kExponents> exponents{};
  std::uint64_t first_bad = std::numeric_limits<std::uint64_t>::max();  // NaN or infinite
  std::uint64_t first_zero = std::numeric_limits<std::uint64_t>::max();

  /// Values number `first` and following. `smallest`: the exponent field of the smallest normal
  /// number of their type.
  void add(std::uint64_t first, std::span<const float> values, std::size_t smallest);
  void merge(const Magnitudes& other);
  /// By how many powers of two the largest values stand above all others, when they are few; 0
  /// otherwise. Damaged bytes give such values, training does not.
  int outlying_exponents() const;
};

/// The values of a float tensor or of scales: each one is counted.
class ValueTally final : public Check {
 public:
  explicit ValueTally(tensor::DType dtype) : dtype_(dtype) {}
  void look(std::uint64_t first, std::span<const std::byte> bytes) override;
  const Magnitudes& magnitudes() const { return sum_; }

 private:
  const tensor::DType dtype_;
  std::mutex mutex_;
  Magnitudes sum_;
};

/// How often each code occurs, in one word of `step` (1: in all).
struct CodeCounts {
  std::array<std::uint64_t, 256> count{};

  std::uint64_t n() const;
  std::uint64_t of_ends(int max_code) const;
  double mean() const;
  /// The only code that occurs; -1 when there are several or none.
  int only() const;
};

/// Codes that lie in `bits` of a 32-bit word each (2, 4, 8), in any order.
class PackedTally final : public Check {
 public:
  PackedTally(int bits, std::uint64_t step) : bits_(bits), step_(step) {}
  void look(std::uint64_t first, std::span<const std::byte> bytes) override;
  const CodeCounts& counts() const { return sum_; }

 private:
  const int bits_;
  const std::uint64_t step_;
  std::mutex mutex_;
  CodeCounts sum_;
};

/// Codes of three bits: 32 in three words that stand `stride` words apart. A unit is 3 * stride
/// words. `n_codes`: of each stream of words, codes beyond it are padding.
class DenseTally final : public Check {
 public:
  DenseTally(std::uint64_t stride, std::uint64_t step) : stride_(stride), step_(step) {}
  void look(std::uint64_t first, std::span<const std::byte> bytes) override;
  const CodeCounts& counts() const { return sum_; }

 private:
  const std::uint64_t stride_, step_;
  std::mutex mutex_;
  CodeCounts sum_;
};

/// The whole of a small tensor of 32-bit numbers.
class NumberTally final : public Check {
 public:
  explicit NumberTally(std::uint64_t n) : numbers_(n) {}
  void look(std::uint64_t first, std::span<const std::byte> bytes) override;
  std::span<const std::int32_t> numbers() const { return numbers_; }

 private:
  std::vector<std::int32_t> numbers_;  // pieces do not overlap
};

/// How far codes spread in each group: by nibble of each word, as AWQ packs outputs. Of the first
/// groups alone. A unit is a row of words, those of one input.
class SpreadTally final : public Check {
 public:
  static constexpr std::size_t kMostGroups = 8, kNibbles = 8;

  SpreadTally(std::size_t n_words, std::size_t group_rows, std::size_t n_groups)
      : n_words_(n_words),
        group_rows_(group_rows),
        n_groups_(std::min(n_groups, kMostGroups)),
        sums_(n_groups_ * n_words * kNibbles),
        squares_(sums_.size()) {}
  void look(std::uint64_t first, std::span<const std::byte> bytes) override;

  std::size_t n_groups() const { return n_groups_; }
  /// [n_groups(), words, kNibbles] of the logarithm of the standard deviation.
  std::vector<double> log_deviations() const;

 private:
  const std::size_t n_words_, group_rows_, n_groups_;
  std::mutex mutex_;
  std::vector<std::uint32_t> sums_, squares_;
};

/// Blocks of a GGUF type. A unit is a row. Scales are counted in all blocks, codes in one row of a
/// few.
class BlockTally final : public Check {
 public:
  BlockTally(const codec::Codec& codec, std::uint64_t row_bytes)
      : codec_(codec), fields_(codec::scale_fields(codec.type)), row_bytes_(row_bytes) {}
  void look(std::uint64_t first, std::span<const std::byte> bytes) override;

  const Magnitudes& scales() const { return scales_; }
  const Magnitudes& minima() const { return minima_; }
  const CodeCounts& counts() const { return codes_; }
  int max_code() const { return max_code_; }
  /// Blocks whose scale is 0 though their codes differ and the scales around them are ordinary;
  /// the first of them.
  std::uint64_t n_lost() const { return n_lost_; }
  std::uint64_t first_lost() const { return first_lost_; }

 private:
  struct Part;
  void look_at_row(std::uint64_t first_block, std::span<const std::byte> row, Part& part) const;

  const codec::Codec& codec_;
  const std::span<const codec::ScaleField> fields_;
  const std::uint64_t row_bytes_;
  std::mutex mutex_;
  Magnitudes scales_, minima_;
  CodeCounts codes_;
  int max_code_ = 0;
  std::uint64_t n_lost_ = 0, first_lost_ = std::numeric_limits<std::uint64_t>::max();
};

}  // namespace lq::soundness

#include "common/soundness/tallies.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "common/tensor/convert.h"

namespace lq::soundness {
namespace {

constexpr std::size_t kWordBytes = 4;
constexpr int kWordBits = 32;
// Codes are counted in one row of so many, scales in all.
constexpr std::uint64_t kRowStep = 8;

std::uint32_t word_at(std::span<const std::byte> bytes, std::size_t index) {
  std::uint32_t word;
  std::memcpy(&word, bytes.data() + index * kWordBytes, sizeof(word));
  return word;
}

void merge_counts(CodeCounts& sum, const CodeCounts& part) {
  for (std::size_t i = 0; i < sum.count.size(); ++i) sum.count[i] += part.count[i];
}

}  // namespace

void Magnitudes::add(std::uint64_t index, float value) {
  ++n;
  if (!std::isfinite(value)) {
    ++(std::isnan(value) ? n_nan : n_infinite);
    first_bad = std::min(first_bad, index);
  } else if (value == 0) {
    ++n_zero;
    first_zero = std::min(first_zero, index);
  } else {
    ++exponents[static_cast<std::size_t>(std::ilogb(value) - kLowest)];
  }
}

void Magnitudes::merge(const Magnitudes& other) {
  n += other.n;
  n_nan += other.n_nan;
  n_infinite += other.n_infinite;
  n_zero += other.n_zero;
  n_subnormal += other.n_subnormal;
  for (std::size_t i = 0; i < exponents.size(); ++i) exponents[i] += other.exponents[i];
  first_bad = std::min(first_bad, other.first_bad);
  first_zero = std::min(first_zero, other.first_zero);
}

int Magnitudes::outlying_exponents() const {
  constexpr std::uint64_t kFew = 1000;  // at most one in so many, or a single one
  int top = -1;
  for (int i = kHighest - kLowest; i >= 0; --i) {
    const std::uint64_t count = exponents[static_cast<std::size_t>(i)];
    if (count == 0) continue;
    if (top >= 0) return top - i;
    if (count > std::max<std::uint64_t>(1, n / kFew)) return 0;
    top = i;
  }
  return 0;
}

void ValueTally::look(std::uint64_t first, std::span<const std::byte> bytes) {
  const auto size = static_cast<std::size_t>(tensor::dtype_row(dtype_).bits / 8);
  std::vector<float> values(bytes.size() / size);
  tensor::widen_to_f32(dtype_, bytes, values);
  const float smallest =
      dtype_ == tensor::DType::kF16 ? std::ldexp(1.0F, -14) : std::numeric_limits<float>::min();
  Magnitudes part;
  for (std::size_t i = 0; i < values.size(); ++i) {
    part.add(first / size + i, values[i]);
    if (values[i] != 0 && std::abs(values[i]) < smallest) ++part.n_subnormal;
  }
  const std::lock_guard lock(mutex_);
  sum_.merge(part);
}

std::uint64_t CodeCounts::n() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t one : count) sum += one;
  return sum;
}

std::uint64_t CodeCounts::of_ends(int max_code) const {
  return count.front() + count[static_cast<std::size_t>(max_code)];
}

double CodeCounts::mean() const {
  double sum = 0;
  for (std::size_t i = 0; i < count.size(); ++i) {
    sum += static_cast<double>(i) * static_cast<double>(count[i]);
  }
  return sum / static_cast<double>(std::max<std::uint64_t>(n(), 1));
}

int CodeCounts::only() const {
  const auto found = std::ranges::find_if(count, [](std::uint64_t one) { return one > 0; });
  if (found == count.end() || *found != n()) return -1;
  return static_cast<int>(found - count.begin());
}

void PackedTally::look(std::uint64_t first, std::span<const std::byte> bytes) {
  CodeCounts part;
  const std::uint32_t mask = (1U << bits_) - 1;
  const std::uint64_t first_word = first / kWordBytes;
  const std::uint64_t skipped = (step_ - first_word % step_) % step_;
  for (std::uint64_t i = skipped; i < bytes.size() / kWordBytes; i += step_) {
    const std::uint32_t word = word_at(bytes, i);
    for (int shift = 0; shift < kWordBits; shift += bits_) ++part.count[(word >> shift) & mask];
  }
  const std::lock_guard lock(mutex_);
  merge_counts(sum_, part);
}

void DenseTally::look(std::uint64_t first, std::span<const std::byte> bytes) {
  constexpr std::uint64_t kTriple = 3;
  constexpr int kCodes = 32, kBits = 3;
  CodeCounts part;
  const std::uint64_t unit = kTriple * stride_ * kWordBytes;
  for (std::uint64_t u = 0; u < bytes.size() / unit; ++u) {
    if ((first / unit + u) % step_ != 0) continue;
    const auto words = bytes.subspan(u * unit, unit);
    for (std::uint64_t column = 0; column < stride_; ++column) {
      const std::uint64_t low =
          word_at(words, column) | std::uint64_t{word_at(words, column + stride_)} << kWordBits;
      const std::uint64_t high = word_at(words, column + 2 * stride_);
      for (int i = 0; i < kCodes; ++i) {
        const int at = kBits * i;
        std::uint64_t code = at < 64 ? low >> at : high >> (at - 64);
        if (at < 64 && at + kBits > 64) code |= high << (64 - at);
        ++part.count[code & 7U];
      }
    }
  }
  const std::lock_guard lock(mutex_);
  merge_counts(sum_, part);
}

void NumberTally::look(std::uint64_t first, std::span<const std::byte> bytes) {
  std::memcpy(numbers_.data() + first / kWordBytes, bytes.data(), bytes.size());
}

void SpreadTally::look(std::uint64_t first, std::span<const std::byte> bytes) {
  const std::uint64_t row_bytes = n_words_ * kWordBytes;
  const std::lock_guard lock(mutex_);
  for (std::uint64_t row = first / row_bytes; !bytes.empty();
       ++row, bytes = bytes.subspan(row_bytes)) {
    const std::uint64_t group = row / group_rows_;
    if (group >= n_groups_) return;
    const std::size_t place = group * n_words_ * kNibbles;
    for (std::size_t w = 0; w < n_words_; ++w) {
      std::uint32_t word = word_at(bytes, w);
      for (std::size_t i = 0; i < kNibbles; ++i, word >>= 4) {
        const std::uint32_t code = word & 15U;
        sums_[place + w * kNibbles + i] += code;
        squares_[place + w * kNibbles + i] += code * code;
      }
    }
  }
}

std::vector<double> SpreadTally::log_deviations() const {
  constexpr double kSmall = 1e-3;  // of codes that are all the same
  const auto n = static_cast<double>(group_rows_);
  std::vector<double> out(sums_.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double mean = sums_[i] / n;
    out[i] = 0.5 * std::log(std::max(squares_[i] / n - mean * mean, 0.0) + kSmall);
  }
  return out;
}

struct BlockTally::Part {
  Magnitudes scales, minima;
  CodeCounts codes;
  int max_code = 0;
  std::uint64_t n_lost = 0, first_lost = std::numeric_limits<std::uint64_t>::max();
  std::vector<std::uint8_t> block;
};

void BlockTally::look_at_row(std::uint64_t first_block, std::span<const std::byte> row,
                             Part& part) const {
  // Weights of a block whose scale rounds to 0 are so much smaller than those of its row at least.
  constexpr float kOrdinary = 64.0F / 16777216.0F;
  const std::uint64_t n_blocks = row.size() / codec_.block_bytes;
  const bool counts_codes = codec_.codes != nullptr && first_block / n_blocks % kRowStep == 0;
  float largest = 0;
  std::vector<std::uint64_t> zero;
  for (std::uint64_t i = 0; i < n_blocks; ++i) {
    const std::byte* const block = row.data() + i * codec_.block_bytes;
    bool all_zero = true;
    for (const codec::ScaleField& field : fields_) {
      const float value = codec::scale_value(field, block);
      (field.is_minimum ? part.minima : part.scales).add(first_block + i, value);
      all_zero &= value == 0;
      if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
    }
    if (all_zero) zero.push_back(i);
    if (codec_.codes == nullptr || (!counts_codes && !all_zero)) continue;
    codec_.codes(block, part.block);
    if (counts_codes) {
      for (const std::uint8_t code : part.block) ++part.codes.count[code];
    }
    if (all_zero && std::ranges::count(part.block, part.block.front()) ==
                        static_cast<std::ptrdiff_t>(part.block.size())) {
      zero.pop_back();
    }
  }
  if (largest < kOrdinary || codec_.codes == nullptr || zero.empty()) return;
  part.n_lost += zero.size();
  part.first_lost = std::min(part.first_lost, first_block + zero.front());
}

void BlockTally::look(std::uint64_t first, std::span<const std::byte> bytes) {
  Part part;
  part.block.resize(codec_.block_elems);
  for (std::uint64_t at = 0; at < bytes.size(); at += row_bytes_) {
    look_at_row((first + at) / codec_.block_bytes, bytes.subspan(at, row_bytes_), part);
  }
  if (codec_.grid != nullptr) {
    tensor::BlockGrid grid;
    codec_.grid(bytes.data(), grid);
    part.max_code = grid.max_code;
  }
  const std::lock_guard lock(mutex_);
  scales_.merge(part.scales);
  minima_.merge(part.minima);
  merge_counts(codes_, part.codes);
  max_code_ = std::max(max_code_, part.max_code);
  n_lost_ += part.n_lost;
  first_lost_ = std::min(first_lost_, part.first_lost);
}

}  // namespace lq::soundness

#include "common/soundness/tallies.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "common/kernels/convert.h"

namespace lq::soundness {
namespace {

constexpr std::size_t kWordBytes = 4;
constexpr int kWordBits = 32;
// Codes are counted in one row of so many, scales in all.
constexpr std::uint64_t kRowStep = 8;
// Values that are widened at a time: they stay in the nearest cache.
constexpr std::size_t kNearby = 8192;

std::uint32_t word_at(std::span<const std::byte> bytes, std::size_t index) {
  std::uint32_t word;
  std::memcpy(&word, bytes.data() + index * kWordBytes, sizeof(word));
  return word;
}

void merge_counts(CodeCounts& sum, const CodeCounts& part) {
  for (std::size_t i = 0; i < sum.count.size(); ++i) sum.count[i] += part.count[i];
}

}  // namespace

void Magnitudes::add(std::uint64_t first, std::span<const float> values, std::size_t smallest) {
  constexpr std::size_t kBad = kExponents - 1;
  constexpr int kMantissaBits = 23;
  constexpr std::uint32_t kMagnitude = 0x7FFFFFFF;
  std::array<std::uint32_t, kExponents> counts{}, others{};  // two, for the processor's sake
  std::uint64_t zeros = 0;
  const auto bits = [&](std::size_t i) {
    return std::bit_cast<std::uint32_t>(values[i]) & kMagnitude;
  };
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint32_t magnitude = bits(i);
    zeros += magnitude == 0 ? 1 : 0;
    ++(i % 2 == 0 ? counts : others)[magnitude >> kMantissaBits];
  }
  for (std::size_t e = 0; e < kExponents; ++e) counts[e] += others[e];
  if (counts[kBad] > 0 || (zeros > 0 && first_zero > first)) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (bits(i) == 0) first_zero = std::min(first_zero, first + i);
      if (bits(i) >> kMantissaBits != kBad) continue;
      first_bad = std::min(first_bad, first + i);
      ++(std::isnan(values[i]) ? n_nan : n_infinite);
    }
  }
  n += values.size();
  n_zero += zeros;
  counts[0] -= static_cast<std::uint32_t>(zeros);
  counts[kBad] = 0;
  for (std::size_t e = 0; e < kExponents; ++e) {
    exponents[e] += counts[e];
    if (e < smallest) n_subnormal += counts[e];
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
  for (int e = static_cast<int>(kExponents) - 1; e >= 0; --e) {
    const std::uint64_t count = exponents[static_cast<std::size_t>(e)];
    if (count == 0) continue;
    if (top >= 0) return top - e;
    if (count > std::max<std::uint64_t>(1, n / kFew)) return 0;
    top = e;
  }
  return 0;
}

void ValueTally::look(std::uint64_t first, std::span<const std::byte> bytes) {
  constexpr std::size_t kSmallestHalf = 127 - 14;
  const auto size = static_cast<std::size_t>(tensor::dtype_row(dtype_).bits / 8);
  const std::size_t smallest = dtype_ == tensor::DType::kF16 ? kSmallestHalf : 1;
  std::vector<float> buffer(std::min(kNearby, bytes.size() / size));
  Magnitudes part;
  for (std::uint64_t index = first / size; !bytes.empty();) {
    const auto values = std::span(buffer).first(std::min(buffer.size(), bytes.size() / size));
    kernels::widen_to_f32(dtype_, bytes.first(values.size() * size), values);
    part.add(index, values, smallest);
    index += values.size();
    bytes = bytes.subspan(values.size() * size);
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
  std::vector<float> scales, minima;
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
      (field.is_minimum ? part.minima : part.scales).push_back(value);
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
  const std::uint64_t first_block = first / codec_.block_bytes;
  const std::uint64_t n_blocks = std::max<std::uint64_t>(bytes.size() / codec_.block_bytes, 1);
  const std::lock_guard lock(mutex_);
  scales_.add(first_block * (part.scales.size() / n_blocks), part.scales, 1);
  minima_.add(first_block * (part.minima.size() / n_blocks), part.minima, 1);
  merge_counts(codes_, part.codes);
  max_code_ = std::max(max_code_, part.max_code);
  n_lost_ += part.n_lost;
  first_lost_ = std::min(first_lost_, part.first_lost);
}

}  // namespace lq::soundness

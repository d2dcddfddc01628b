#include "common/soundness/linear_checks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

#include "common/soundness/value_checks.h"
#include "common/tensor/convert.h"

namespace lq::soundness {
namespace {

constexpr const char* kZeros = "zero points";
constexpr const char* kGroups = "groups";
// Words of codes are counted one in so many: enough for shares.
constexpr std::uint64_t kCodeStep = 8;
constexpr int kMostMeanBits = 4;

bool is_first_version(const hf::Format& format) { return format.name == "gptq"; }
bool is_gptq(const hf::Format& format) { return format.name.starts_with("gptq"); }

int middle(int bits) { return 1 << (bits - 1); }

/// REQUIRES: not empty.
double median(std::vector<double> values) {
  const auto half = values.begin() + std::ssize(values) / 2;
  std::ranges::nth_element(values, half);
  return *half;
}

using Order = std::array<std::size_t, SpreadTally::kNibbles>;
constexpr Order kAwqOrder = {0, 2, 4, 6, 1, 3, 5, 7};  // the output of each nibble
constexpr Order kNaturalOrder = {0, 1, 2, 3, 4, 5, 6, 7};

/// Correlation of the logarithms of scales [outputs] and of the spreads of codes [nibbles], both
/// without the mean of their eight.
double agreement(std::span<const double> spreads, std::span<const float> scales,
                 const Order& order) {
  constexpr std::size_t kN = SpreadTally::kNibbles;
  constexpr float kSmallest = 1e-9F;
  double products = 0, spread_squares = 0, scale_squares = 0;
  for (std::size_t word = 0; word + kN <= spreads.size(); word += kN) {
    std::array<double, kN> x, y;
    for (std::size_t i = 0; i < kN; ++i) {
      x[i] = spreads[word + i];
      y[i] = std::log(std::abs(scales[word + order[i]]) + kSmallest);
    }
    const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / kN;
    const double mean_y = std::accumulate(y.begin(), y.end(), 0.0) / kN;
    for (std::size_t i = 0; i < kN; ++i) {
      products += (x[i] - mean_x) * (y[i] - mean_y);
      spread_squares += (x[i] - mean_x) * (x[i] - mean_x);
      scale_squares += (y[i] - mean_y) * (y[i] - mean_y);
    }
  }
  const double norm = std::sqrt(spread_squares * scale_squares);
  return norm > 0 ? products / norm : 0;
}

}  // namespace

template <class Tally>
const Tally* LinearChecks::add(std::vector<FileJob>& jobs, const tensor::TensorInfo& tensor,
                               std::uint64_t unit, std::unique_ptr<Tally> tally) {
  const Tally* const kept = tally.get();
  jobs[tensor.file].segments.push_back({tensor.offset, tensor.n_bytes, unit, tally.get()});
  checks_.push_back(std::move(tally));
  return kept;
}

const CodeCounts* LinearChecks::add_codes(std::vector<FileJob>& jobs,
                                          const tensor::TensorInfo& tensor, int bits,
                                          std::uint64_t stride, std::uint64_t step) {
  constexpr std::uint64_t kWord = 4, kTriple = 3;
  if (bits != 3) {
    return &add(jobs, tensor, kWord, std::make_unique<PackedTally>(bits, step))->counts();
  }
  // Streams that end inside a word stand for themselves.
  const std::int64_t n_words = stride == 1 ? tensor.shape[1] : tensor.shape[0];
  if (n_words % static_cast<std::int64_t>(kTriple) != 0) return nullptr;
  return &add(jobs, tensor, kTriple * stride * kWord, std::make_unique<DenseTally>(stride, step))
              ->counts();
}

void LinearChecks::add_segments(std::vector<FileJob>& jobs) {
  for (const tensor::TensorInfo* tensor : stored_.floats) {
    const auto size = static_cast<std::uint64_t>(tensor::dtype_row(tensor->dtype).bits / 8);
    floats_.emplace_back(tensor,
                         add(jobs, *tensor, size, std::make_unique<ValueTally>(tensor->dtype)));
  }
  const bool by_rows =
      declaration_.format != nullptr && declaration_.format->name == "compressed-tensors";
  for (const QuantizedLinear& linear : stored_.linears) {
    Tallies& tallies = linears_.emplace_back();
    const int bits = linear.module.scheme->bits;
    tallies.linear = &linear;
    tallies.codes =
        add_codes(jobs, *linear.codes, bits, by_rows ? 1 : linear.module.rows, kCodeStep);
    const auto size = static_cast<std::uint64_t>(tensor::dtype_row(linear.scales->dtype).bits / 8);
    tallies.scales =
        add(jobs, *linear.scales, size, std::make_unique<ValueTally>(linear.scales->dtype));
    if (linear.zeros != nullptr && linear.zeros->shape.size() == 2) {
      const auto groups = static_cast<std::uint64_t>(linear.zeros->shape[1]);
      tallies.zeros = add_codes(jobs, *linear.zeros, bits, by_rows ? groups : 1, 1);
    }
    if (linear.group_index != nullptr && is_gptq(*declaration_.format)) {
      tallies.groups = add(jobs, *linear.group_index, 4,
                           std::make_unique<NumberTally>(linear.group_index->n_elems));
    }
  }
  if (declaration_.format != nullptr && declaration_.format->name == "awq") add_spreads(jobs);
  for (FileJob& job : jobs) std::ranges::sort(job.segments, {}, &Segment::offset);
}

/// Of the first groups, whose words are looked at a second time.
void LinearChecks::add_spreads(std::vector<FileJob>& jobs) {
  for (Tallies& tallies : linears_) {
    const hf::Module& module = tallies.linear->module;
    if (module.rows % SpreadTally::kNibbles != 0) continue;
    const std::size_t n_words = module.rows / SpreadTally::kNibbles;
    const std::size_t group_rows = module.scheme->columns_per_group(module.columns);
    const std::size_t n_groups = module.columns / group_rows;
    auto tally = std::make_unique<SpreadTally>(n_words, group_rows, n_groups);
    const std::uint64_t row_bytes = n_words * 4;
    jobs[tallies.linear->codes->file].segments.push_back(
        {tallies.linear->codes->offset, tally->n_groups() * group_rows * row_bytes, row_bytes,
         tally.get()});
    tallies.spread = tally.get();
    checks_.push_back(std::move(tally));
  }
}

void LinearChecks::judge(Report& report) const {
  for (const auto& [tensor, tally] : floats_) {
    judge_floats(tensor->name, tally->magnitudes(), report);
  }
  for (const Tallies& tallies : linears_) {
    const QuantizedLinear& linear = *tallies.linear;
    judge_scales(linear.scales->name, tallies.scales->magnitudes(), report);
    if (tallies.codes != nullptr) {
      judge_codes(linear.codes->name, *tallies.codes, (1 << linear.module.scheme->bits) - 1,
                  report);
    }
    if (tallies.zeros != nullptr) judge_zeros(tallies, report);
    if (tallies.groups != nullptr) judge_groups(tallies, report);
  }
  if (!report.has_fault(kZeros)) judge_convention(report);
  if (!report.has_fault("scales")) judge_order(report);
}

void LinearChecks::judge_zeros(const Tallies& tallies, Report& report) const {
  const QuantizedLinear& linear = *tallies.linear;
  const hf::Format& format = *declaration_.format;
  const int bits = linear.module.scheme->bits;
  const int stored_less = is_first_version(format) ? 1 : 0;
  const int only = tallies.zeros->only();
  const std::string& name = linear.zeros->name;
  const bool has_versions = is_gptq(format);
  const int other = is_first_version(format) ? middle(bits) : middle(bits) - 1;
  if (has_versions && only == other) {
    const bool first = is_first_version(format);
    report.silent_fault(
        kZeros, name,
        fmt::format("zero points are stored as in {}, and quantization_config says {}",
                    first ? "gptq_v2" : "gptq", format.name),
        fmt::format("each is {}; read as declared, all weights are off by a step", only),
        kTransformers);
    return;
  }
  if (linear.module.scheme->symmetric) {
    if (only == middle(bits) - stored_less) return;
    report.silent_fault(
        kZeros, name, "zero points are not those of a symmetric grid, which is declared",
        fmt::format("they are not all {}; runtimes that trust the declaration compute with others",
                    middle(bits) - stored_less),
        kVllm);
    return;
  }
  const auto highest = static_cast<std::size_t>((1 << bits) - 1);
  if (!is_first_version(format) || tallies.zeros->count[highest] == 0) return;
  report.fault(kZeros, name,
               fmt::format("zero points are stored as {}, which stands for none", highest),
               "runtimes read them in different ways");
}

void LinearChecks::judge_groups(const Tallies& tallies, Report& report) const {
  const QuantizedLinear& linear = *tallies.linear;
  const std::string& name = linear.group_index->name;
  const std::span<const std::int32_t> index = tallies.groups->numbers();
  const std::size_t columns = index.size();
  const std::size_t size = linear.module.scheme->columns_per_group(columns);
  std::vector<std::size_t> members(linear.module.scheme->n_groups(columns));
  bool in_order = true;
  for (std::size_t column = 0; column < columns; ++column) {
    const std::int32_t group = index[column];
    if (group < 0 || static_cast<std::size_t>(group) >= members.size()) {
      report.fault(kGroups, name, "columns are in groups that do not exist",
                   fmt::format("column {} is in group {} of {}", column, group, members.size()),
                   kNoRuntime);
      return;
    }
    ++members[static_cast<std::size_t>(group)];
    in_order &= static_cast<std::size_t>(group) == column / size;
  }
  for (std::size_t group = 0; group < members.size(); ++group) {
    const std::size_t expected = std::min(size, columns - group * size);
    if (members[group] == expected) continue;
    report.fault(kGroups, name, "groups are not of the declared size",
                 fmt::format("group {} has {} columns, not {}", group, members[group], expected));
    return;
  }
  if (in_order || declaration_.desc_act) return;
  report.silent_fault(kGroups, name,
                      "columns are not grouped in order, and desc_act says that they are",
                      "runtimes that trust it take the scales of other groups", kVllm);
}

/// Weights are about as often positive as negative: the mean of codes and that of zero points are
/// the same but for a fraction of a step, in the middle of all linears.
void LinearChecks::judge_convention(Report& report) const {
  std::vector<double> differences;
  for (const Tallies& tallies : linears_) {
    const int bits = tallies.linear->module.scheme->bits;
    if (tallies.zeros == nullptr || tallies.codes == nullptr || bits > kMostMeanBits) continue;
    const int stored_less = is_first_version(*declaration_.format) ? 1 : 0;
    differences.push_back(tallies.codes->mean() - tallies.zeros->mean() - stored_less);
  }
  constexpr double kLimit = 0.5;
  if (differences.empty()) return;
  const double middle_one = median(differences);
  if (std::abs(middle_one) <= kLimit) return;
  report.silent_fault(
      kZeros, "", "zero points do not lie in the middle of the weights",
      fmt::format("codes are {:+.2f} steps from them on average, in the middle of {} linears: they "
                  "are stored by another convention than the declared one",
                  middle_one, differences.size()),
      kDirectoryRuntimes);
}

/// The wider a group's scale for its outlier, the closer its codes lie to the zero point: scales and
/// spreads of codes go against each other, output by output, when each scale meets its own codes. In
/// the wrong order of nibbles they know nothing of each other.
void LinearChecks::judge_order(Report& report) const {
  std::vector<double> declared, natural;
  for (const Tallies& tallies : linears_) {
    if (tallies.spread == nullptr || tallies.spread->n_groups() == 0) continue;
    const tensor::TensorInfo& scales = *tallies.linear->scales;
    const std::vector<double> spreads = tallies.spread->log_deviations();
    const auto size = static_cast<std::size_t>(tensor::dtype_row(scales.dtype).bits / 8);
    std::vector<std::byte> bytes(spreads.size() * size);
    source_.read(scales, 0, bytes);
    std::vector<float> values(spreads.size());
    tensor::widen_to_f32(scales.dtype, bytes, values);
    declared.push_back(agreement(spreads, values, kAwqOrder));
    natural.push_back(agreement(spreads, values, kNaturalOrder));
  }
  constexpr double kLimit = 0.2;
  constexpr std::size_t kFewest = 4;
  if (declared.size() < kFewest || median(natural) > median(declared) - kLimit) return;
  report.silent_fault(
      "codes", "", "codes are packed in natural order, not in that of AWQ",
      fmt::format(
          "they fit the scales as {:.2f} in natural order, {:.2f} in AWQ's, where -1 is best",
          median(natural), median(declared)),
      kDirectoryRuntimes);
}

}  // namespace lq::soundness

#include "common/soundness/linear_checks.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "common/soundness/value_checks.h"

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
  for (FileJob& job : jobs) std::ranges::sort(job.segments, {}, &Segment::offset);
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
  const auto half = differences.begin() + std::ssize(differences) / 2;
  std::ranges::nth_element(differences, half);
  if (std::abs(*half) <= kLimit) return;
  report.silent_fault(
      kZeros, "", "zero points do not lie in the middle of the weights",
      fmt::format("codes are {:+.2f} steps from them on average, in the middle of {} linears: they "
                  "are stored by another convention than the declared one",
                  *half, differences.size()),
      kDirectoryRuntimes);
}

}  // namespace lq::soundness

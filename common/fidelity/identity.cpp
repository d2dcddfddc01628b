#include "common/fidelity/identity.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <iterator>
#include <map>
#include <utility>

#include "common/fidelity/likely_cause.h"

namespace lq::fidelity {
namespace {

using base::Finding;
using base::Findings;
using base::Weight;

constexpr std::string_view kIdentity = "identity";

/// The numbers that are out of their limits.
std::string measured(const TensorError& error) {
  if (!error.storage.quantized()) {
    return fmt::format(
        "{:.0f} of its {:.0f} values differ by more than rounding to {}, the cosine is "
        "{:.3f}",
        static_cast<double>(error.n_beyond_rounding), error.sums.n, error.storage.name,
        error.cosine());
  }
  return fmt::format("cosine {:.3f} (at least {}), gain {:.3f} ({} to {}){}", error.cosine(),
                     least_cosine(error.storage.bits), error.gain(), kLeastGain, kMostGain,
                     error.mean_steps ? fmt::format(", mean error {:.2f} steps (at most {})",
                                                    *error.mean_steps, kMostMeanSteps)
                                      : "");
}

Finding fault_of(const TensorError& error, const std::string& cause) {
  return {std::string(kIdentity), error.name,
          cause.empty() ? "it is not the tensor of the reference" : cause, measured(error)};
}

/// Matrices that have nothing to do with the reference's.
class Strangers {
 public:
  void add(const TensorError& error, const std::string& cause) {
    if (!error.is_matrix) return;
    ++n_matrices_;
    if (!cause.empty() || std::abs(error.cosine()) > kLikeness || is_identified(error)) return;
    if (n_strangers_++ == 0) first_ = &error;
  }
  bool are_most() const { return n_strangers_ >= 3 && 2 * n_strangers_ > n_matrices_; }
  Finding finding() const {
    return {
        std::string(kIdentity), "", "it is another model than the reference",
        fmt::format("{} of its {} matrices have nothing in common with the reference's; the first "
                    "is {}: {}",
                    n_strangers_, n_matrices_, first_->name, measured(*first_))};
  }

 private:
  static constexpr double kLikeness = 0.3;
  std::size_t n_matrices_ = 0, n_strangers_ = 0;
  const TensorError* first_ = nullptr;
};

}  // namespace

double least_cosine(int bits) {
  if (bits >= 4) return 0.7;
  return bits == 3 ? 0.5 : 0.35;
}

Models::Models(std::filesystem::path reference_file, std::filesystem::path result_file)
    : reference_path(std::move(reference_file)),
      result_path(std::move(result_file)),
      reference(subject::open_subject(reference_path)),
      result(subject::open_subject(result_path)),
      stored(open_stored(result_path, *result)) {}

bool is_identified(const TensorError& error) {
  if (!error.storage.quantized()) return error.n_beyond_rounding == 0;
  // Embeddings of a vocabulary that is filled up, or a bias, may be zeros on both sides.
  if (error.sums.ww == 0 && error.sums.qq == 0) return true;
  return error.cosine() >= least_cosine(error.storage.bits) && error.gain() >= kLeastGain &&
         error.gain() <= kMostGain && std::abs(error.mean_steps.value_or(0)) <= kMostMeanSteps;
}

base::Findings identity_findings(const Models& models, const Comparison& comparison) {
  const Sides sides = models.sides(nullptr);
  const LikelyCauses causes(sides, comparison);
  Findings findings, unexplained;
  Strangers strangers;
  std::vector<const FoldProblem*> problems;
  for (const FoldProblem& problem : comparison.problems) problems.push_back(&problem);
  for (const TensorError& error : comparison.tensors) {
    if (!error.problem.empty()) {
      findings.push_back(
          {std::string(kIdentity), error.name, "it cannot be compared", error.problem});
      continue;
    }
    const bool is_sound = is_identified(error);
    const std::string cause = is_sound ? "" : causes.of(error);
    strangers.add(error, cause);
    if (is_sound) continue;
    const auto is_of_it = [&](const FoldProblem* problem) { return problem->tensor == error.key; };
    if (!cause.empty()) {
      // Better known than by its scales.
      std::erase_if(problems, is_of_it);
      findings.push_back(fault_of(error, cause));
    } else if (std::ranges::none_of(problems, is_of_it)) {
      unexplained.push_back(fault_of(error, cause));
    }
  }
  for (const FoldProblem* const problem : problems) {
    findings.push_back({"scales", sides.stored.name(problem->tensor), problem->what, problem->why});
  }
  if (strangers.are_most()) {
    findings.insert(findings.begin(), strangers.finding());
  } else {
    std::ranges::move(unexplained, std::back_inserter(findings));
  }
  return findings;
}

base::Findings outliers(const Comparison& comparison) {
  std::map<std::pair<model::TensorRole, std::string>, std::vector<double>> errors;
  const auto group_of = [](const TensorError& error) {
    return std::pair(error.key.role, error.storage.name);
  };
  const auto counts = [](const TensorError& error) {
    return error.storage.quantized() && error.problem.empty() && error.key.layer >= 0;
  };
  for (const TensorError& error : comparison.tensors) {
    if (counts(error)) errors[group_of(error)].push_back(error.relative_error());
  }
  Findings findings;
  for (const TensorError& error : comparison.tensors) {
    if (!counts(error)) continue;
    std::vector<double>& all = errors[group_of(error)];
    std::ranges::sort(all);
    const double median = all[all.size() / 2];
    if (error.relative_error() <= kOutlierFactor * median) continue;
    findings.push_back({"outlier", error.name, "it lost much more than others of its kind",
                        fmt::format("relative error {:.3f}, the median of {} is {:.3f}",
                                    error.relative_error(), all.size(), median),
                        Weight::kRemark});
  }
  return findings;
}

}  // namespace lq::fidelity

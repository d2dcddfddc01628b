#include "common/verify/gates.h"

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <limits>
#include <system_error>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::verify {
namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();
// Conventions: bench/README.md and bench/results have what types and formats measure.
constexpr std::array kGrades = {
    Grade{"excellent", 0.01, 0.01, "hardly to be told from the original"},
    Grade{"good", 0.04, 0.03, "small losses"},
    Grade{"acceptable", 0.15, 0.10, "losses that show"},
    Grade{"degraded", 1.5, 1.0, "heavy losses"},
    Grade{"failed", kNoLimit, kNoLimit, "of no use"},
};

double increase_of(const behaviour::ComparisonSummary& measured) {
  return measured.perplexity_ratio.value - 1;
}

base::Finding miss(std::string check, std::string what, std::string why) {
  return {.check = std::move(check), .tensor = "", .what = std::move(what), .why = std::move(why)};
}

}  // namespace

double parse_share(std::string_view option, const std::string& text, double highest) {
  double share = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, share);
  const bool in_percent = rest != end && *rest == '%';
  if (in_percent) share /= 100;
  if (error != std::errc() || rest + (in_percent ? 1 : 0) != end || !(share >= 0) ||
      share > highest) {
    throw base::UsageError(fmt::format("cannot use --{} {}", option, base::escape_controls(text)),
                           highest == kNoLimit
                               ? "it is no share of 0 or more"
                               : fmt::format("it is no share from 0 to {:g}", highest),
                           "write it as 5% or 0.05");
  }
  return share;
}

base::Findings missed(const Gates& gates, const behaviour::ComparisonSummary& measured) {
  base::Findings findings;
  if (gates.max_perplexity_increase && !(increase_of(measured) <= *gates.max_perplexity_increase)) {
    findings.push_back(
        miss("max-perplexity-increase", "the perplexity has grown too much",
             fmt::format("by {:.2f} % from {:.4f} to {:.4f}, the limit is {:g} %",
                         100 * increase_of(measured), measured.reference_perplexity.value,
                         measured.perplexity.value, 100 * *gates.max_perplexity_increase)));
  }
  if (gates.max_divergence && !(measured.divergence.value <= *gates.max_divergence)) {
    findings.push_back(miss("max-kld", "the predictions are too far from the reference's",
                            fmt::format("the mean KL divergence is {:.5f}, the limit is {:g}",
                                        measured.divergence.value, *gates.max_divergence)));
  }
  if (gates.min_same_top && !(measured.same_top.value >= *gates.min_same_top)) {
    findings.push_back(miss("min-top1", "the likeliest token is another too often",
                            fmt::format("it is the same at {:.2f} % of the positions, the limit is "
                                        "{:g} %",
                                        100 * measured.same_top.value, 100 * *gates.min_same_top)));
  }
  return findings;
}

base::Findings missed(const Gates& gates, const std::string& tensor, double output_error) {
  if (!gates.max_tensor_error || output_error <= *gates.max_tensor_error) return {};
  base::Finding finding = miss("max-tensor-error", "its output error is too large",
                               fmt::format("{:.5f} of the output's energy, the limit is {:g}",
                                           output_error, *gates.max_tensor_error));
  finding.tensor = tensor;
  return {std::move(finding)};
}

std::span<const Grade> grades() { return kGrades; }

const Grade& grade_of(const behaviour::ComparisonSummary& measured) {
  for (const Grade& grade : kGrades) {
    if (measured.divergence.value <= grade.max_divergence &&
        increase_of(measured) <= grade.max_increase) {
      return grade;
    }
  }
  return kGrades.back();
}

base::Findings missed(const Grade& grade, const behaviour::ComparisonSummary& measured) {
  if (&grade != &kGrades.back()) return {};
  const Grade& last = kGrades[kGrades.size() - 2];
  return {miss("grade", "the model has lost its behaviour",
               fmt::format("mean KL divergence {:.3f}, perplexity {:.4g} after {:.4g}; up to {:g} "
                           "and {:g} % more count as {}",
                           measured.divergence.value, measured.perplexity.value,
                           measured.reference_perplexity.value, last.max_divergence,
                           100 * last.max_increase, last.name))};
}

}  // namespace lq::verify

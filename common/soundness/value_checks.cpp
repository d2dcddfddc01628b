#include "common/soundness/value_checks.h"

#include <fmt/format.h>

namespace lq::soundness {
namespace {

// Powers of two that a few scales, or float weights, may stand above all others: a flipped bit of an
// exponent gives more, and training less.
constexpr int kOutlyingScale = 8;
constexpr int kOutlyingFloat = 10;
// Of codes at the ends of their range: quantizers leave a few percent there.
constexpr double kSaturated = 0.4;
constexpr int kFourBits = 15;

void judge_numbers(const std::string& check, const std::string& name, const Magnitudes& values,
                   int outlying, Report& report) {
  const std::string kind = check == "scales" ? "scales" : "values";
  if (values.n_nan + values.n_infinite > 0) {
    report.fault(check, name, fmt::format("{} are not finite", kind),
                 fmt::format("{} of {} are NaN, {} infinite; the first is number {}", values.n_nan,
                             values.n, values.n_infinite, values.first_bad));
  }
  const int above = values.outlying_exponents();
  if (above < outlying) return;
  report.fault(check, name, fmt::format("a few {} stand far above all others", kind),
               fmt::format("they are about 2^{} times the next lower one: damaged bytes", above));
}

}  // namespace

void judge_floats(const std::string& name, const Magnitudes& values, Report& report) {
  judge_numbers("values", name, values, kOutlyingFloat, report);
}

void judge_scales(const std::string& name, const Magnitudes& values, Report& report) {
  judge_numbers("scales", name, values, kOutlyingScale, report);
  if (values.n_zero > 0) {
    report.fault("scales", name, "scales are zero",
                 fmt::format("{} of {}; the first is number {}, and its weights are all lost",
                             values.n_zero, values.n, values.first_zero));
  }
  if (values.n_subnormal > 0) {
    report.remark("scales", name, "scales are subnormal",
                  fmt::format("{} of {} have fewer digits than their type can hold",
                              values.n_subnormal, values.n));
  }
}

void judge_codes(const std::string& name, const CodeCounts& codes, int max_code, Report& report) {
  const std::uint64_t n = codes.n();
  if (n == 0) return;
  if (codes.only() >= 0) {
    report.remark("codes", name, "all codes are the same",
                  fmt::format("each of the {} looked at is {}", n, codes.only()));
    return;
  }
  const double share = static_cast<double>(codes.of_ends(max_code)) / static_cast<double>(n);
  if (max_code < kFourBits || share <= kSaturated) return;
  report.remark("codes", name, "many codes are at the ends of their range",
                fmt::format("{:.0f} % of the {} looked at", 100 * share, n));
}

void judge_blocks(const std::string& name, const BlockTally& blocks, Report& report) {
  judge_numbers("scales", name, blocks.scales(), kOutlyingScale, report);
  if (blocks.minima().n > 0) {
    judge_numbers("scales", name, blocks.minima(), kOutlyingScale, report);
  }
  if (blocks.n_lost() > 0) {
    report.fault("scales", name, "scales are zero",
                 fmt::format("of {} blocks whose codes differ; the first is number {}, and its "
                             "weights are all lost",
                             blocks.n_lost(), blocks.first_lost()));
  } else if (blocks.scales().n_zero == blocks.scales().n && blocks.scales().n > 0) {
    report.remark("scales", name, "all scales are zero", "and with them all weights");
  }
  judge_codes(name, blocks.counts(), blocks.max_code(), report);
}

}  // namespace lq::soundness

#include <algorithm>
#include <fmt/format.h>

#include "common/base/text.h"
#include "common/verify/reports.h"

namespace lq::verify {
namespace {

using Lines = std::vector<std::string>;

constexpr std::size_t kMostFindings = 20;  // of one result, on a screen

void line(Lines& lines, std::string_view label, const std::string& value) {
  lines.push_back(fmt::format("  {:<15}{}", label, value));
}

std::string shown(const std::filesystem::path& path) {
  return base::escape_controls(path.string());
}

void weights_lines(const fidelity::Comparison& comparison, Lines& lines) {
  const fidelity::TensorError* worst = nullptr;
  for (const fidelity::TensorError& tensor : comparison.tensors) {
    if (!tensor.is_matrix || !tensor.problem.empty()) continue;
    const auto error = [](const fidelity::TensorError& of) {
      return of.output_error ? *of.output_error : of.relative_error();
    };
    if (worst == nullptr || error(tensor) > error(*worst)) worst = &tensor;
  }
  std::string text = fmt::format("relative error {:.4f}", relative_error(comparison));
  if (worst != nullptr) {
    text += fmt::format(
        "; the worst is {}: {}", base::escape_controls(worst->name),
        worst->output_error
            ? fmt::format("output error {:.5f}", *worst->output_error)
            : fmt::format("{:.4f}, cosine {:.4f}", worst->relative_error(), worst->cosine()));
  }
  line(lines, "weights", text);
}

void behaviour_lines(const Verdict& verdict, Lines& lines) {
  const Behaviour& behaviour = *verdict.behaviour;
  if (behaviour.alone) {
    line(lines, "perplexity",
         fmt::format("{}, protocol {}, {} windows, {} tokens",
                     with_interval(behaviour.alone->perplexity, 4), behaviour.protocol,
                     behaviour.n_windows, behaviour.alone->n_tokens));
    return;
  }
  const behaviour::ComparisonSummary& measured = *behaviour.compared;
  line(lines, "perplexity",
       fmt::format(
           "{} after {:.4f}: {:+.2f} % ({:+.2f} to {:+.2f})", with_interval(measured.perplexity, 4),
           measured.reference_perplexity.value, 100 * (measured.perplexity_ratio.value - 1),
           100 * (measured.perplexity_ratio.low - 1), 100 * (measured.perplexity_ratio.high - 1)));
  line(lines, "KL divergence",
       fmt::format("{}; median {:.5f}, 99 % {:.4f}, most {:.3f}",
                   with_interval(measured.divergence, 5), measured.divergence_median,
                   measured.divergence_99, measured.divergence_max));
  line(lines, "top token",
       fmt::format("the same at {:.2f} % ({:.2f} to {:.2f}); change of p {:+.4f}, root mean square "
                   "{:.4f}",
                   100 * measured.same_top.value, 100 * measured.same_top.low,
                   100 * measured.same_top.high, measured.p_change.value,
                   measured.p_change_rms.value));
  line(lines, "measured on",
       fmt::format("protocol {}, {} windows, {} tokens", behaviour.protocol, behaviour.n_windows,
                   measured.n_tokens));
  if (!behaviour.continuations.empty()) {
    double common = 0, of_reference = 0, of_other = 0;
    for (const behaviour::ContinuationPair& pair : behaviour.continuations) {
      common += static_cast<double>(pair.n_common);
      of_reference += pair.of_reference.repeated_share;
      of_other += pair.of_other.repeated_share;
    }
    const auto n = static_cast<double>(behaviour.continuations.size());
    line(lines, "continuations",
         fmt::format("{} prompts part after {:.1f} tokens; repeated {:.0f} % (reference {:.0f} %)",
                     behaviour.continuations.size(), common / n, 100 * of_other / n,
                     100 * of_reference / n));
  }
  line(lines, "grade", fmt::format("{}: {}", verdict.grade()->name, verdict.grade()->meaning));
}

void finding_lines(const Verdict& verdict, Lines& lines) {
  for (std::size_t i = 0; i < verdict.findings.size(); ++i) {
    if (i == kMostFindings) {
      lines.push_back(fmt::format("  ... and {} more (--json has all)",
                                  verdict.findings.size() - kMostFindings));
      return;
    }
    const base::Finding& finding = verdict.findings[i];
    const bool is_fault = finding.weight == base::Weight::kFault;
    lines.push_back(
        fmt::format("  {} {}: {}{}", is_fault ? "FAULT" : "note ", finding.check,
                    finding.tensor.empty() ? "" : base::escape_controls(finding.tensor) + ": ",
                    base::escape_controls(finding.what)));
    if (!finding.why.empty()) {
      lines.push_back("        " + base::escape_controls(finding.why));
    }
  }
}

void verdict_lines(const Verdict& verdict, Lines& lines) {
  const soundness::Soundness& sound = verdict.soundness;
  lines.push_back(shown(verdict.path));
  line(lines, "kind",
       fmt::format("{}, {}: {}", sound.container, base::escape_controls(sound.format),
                   base::escape_controls(sound.scheme)));
  line(lines, "size",
       fmt::format("{} tensors, {}", sound.n_tensors, base::format_bytes(sound.n_bytes)));
  for (const soundness::RuntimeVerdict& runtime : sound.runtimes) {
    line(lines, runtime.name == sound.runtimes.front().name ? "runtimes" : "",
         fmt::format("{}: {}{}{}", runtime.name, runtime.loads ? "loads" : "no",
                     runtime.why.empty() ? "" : ", ", base::escape_controls(runtime.why)));
  }
  if (verdict.comparison) weights_lines(*verdict.comparison, lines);
  if (verdict.behaviour) behaviour_lines(verdict, lines);
  finding_lines(verdict, lines);
  const std::size_t n_faults = verdict.n_faults();
  lines.push_back(n_faults == 0 ? "  every check passed"
                                : fmt::format("  {} fault{}", n_faults, n_faults == 1 ? "" : "s"));
}

void table_lines(std::span<const Verdict> verdicts, Lines& lines) {
  std::size_t width = 6;
  for (const Verdict& verdict : verdicts) width = std::max(width, verdict.name().size());
  lines.push_back(fmt::format("{:<{}} {:>12} {:>10} {:>10} {:>12} {:>9} {:>11} {:>7}", "result",
                              width, "size", "error", "KL", "perplexity", "top %", "grade",
                              "faults"));
  for (const Verdict& verdict : verdicts) {
    const behaviour::ComparisonSummary* const measured =
        verdict.behaviour && verdict.behaviour->compared ? &*verdict.behaviour->compared : nullptr;
    const auto number = [&](double value, int digits) {
      return measured == nullptr ? "-" : fmt::format("{:.{}f}", value, digits);
    };
    lines.push_back(fmt::format(
        "{:<{}} {:>12} {:>10} {:>10} {:>12} {:>9} {:>11} {:>7}",
        base::escape_controls(verdict.name()), width, base::format_bytes(verdict.soundness.n_bytes),
        verdict.comparison ? fmt::format("{:.4f}", relative_error(*verdict.comparison)) : "-",
        number(measured ? measured->divergence.value : 0, 5),
        number(measured ? measured->perplexity.value : 0, 4),
        number(measured ? 100 * measured->same_top.value : 0, 2),
        verdict.grade() ? std::string(verdict.grade()->name) : "-", verdict.n_faults()));
  }
}

}  // namespace

std::string with_interval(const behaviour::Estimate& estimate, int digits) {
  return fmt::format("{:.{}f} ({:.{}f} to {:.{}f})", estimate.value, digits, estimate.low, digits,
                     estimate.high, digits);
}

std::vector<std::string> text_report(std::span<const Verdict> verdicts, const Heading& heading) {
  Lines lines;
  if (!heading.reference.empty()) lines.push_back("reference  " + shown(heading.reference));
  if (!heading.calibration.empty()) lines.push_back("calibration  " + shown(heading.calibration));
  for (const Verdict& verdict : verdicts) verdict_lines(verdict, lines);
  if (verdicts.size() > 1) table_lines(verdicts, lines);
  return lines;
}

}  // namespace lq::verify

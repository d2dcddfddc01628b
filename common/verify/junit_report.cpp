#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "common/verify/reports.h"
#include "common/verify/svg.h"

namespace lq::verify {
namespace {

bool always(const Verdict&) { return true; }
bool has_reference(const Verdict& verdict) { return verdict.comparison.has_value(); }
bool has_behaviour(const Verdict& verdict) { return verdict.behaviour.has_value(); }
bool has_grade(const Verdict& verdict) { return verdict.grade() != nullptr; }

/// Checks of which a report tells also that they were passed, or not made. Limits that a user sets
/// are told where they are missed.
struct CheckRow {
  std::string_view name;
  bool (*was_made)(const Verdict&);
};
constexpr std::array kChecks = {CheckRow{"container", always},
                                CheckRow{"config", always},
                                CheckRow{"tensors", always},
                                CheckRow{"tokenizer", always},
                                CheckRow{"scales", always},
                                CheckRow{"codes", always},
                                CheckRow{"manifest", always},
                                CheckRow{"configuration", has_reference},
                                CheckRow{"vocabulary", has_reference},
                                CheckRow{"identity", has_reference},
                                CheckRow{"behaviour", has_behaviour},
                                CheckRow{"grade", has_grade}};

/// What one check found of a result, as the text of a failure; empty: nothing wrong.
std::string failures_of(const Verdict& verdict, std::string_view check) {
  std::string text;
  for (const base::Finding& finding : verdict.findings) {
    if (finding.check != check || finding.weight != base::Weight::kFault) continue;
    text += fmt::format("{}{}{}: {}\n", finding.tensor, finding.tensor.empty() ? "" : ": ",
                        finding.what, finding.why);
  }
  return text;
}

/// Those of the table, and others that found a fault.
std::vector<CheckRow> checks_of(const Verdict& verdict) {
  std::vector<CheckRow> checks(kChecks.begin(), kChecks.end());
  for (const base::Finding& finding : verdict.findings) {
    if (finding.weight == base::Weight::kFault &&
        std::ranges::find(checks, finding.check, &CheckRow::name) == checks.end()) {
      checks.push_back({finding.check, always});
    }
  }
  return checks;
}

}  // namespace

std::string junit_report(std::span<const Verdict> verdicts, double seconds) {
  std::string suites;
  std::size_t n_tests = 0, n_failures = 0;
  for (const Verdict& verdict : verdicts) {
    std::string cases;
    std::size_t failed = 0, skipped = 0;
    const std::vector<CheckRow> checks = checks_of(verdict);
    for (const CheckRow& check : checks) {
      const std::string failures = failures_of(verdict, check.name);
      cases += fmt::format("    <testcase classname=\"{}\" name=\"{}\"",
                           escape_html(verdict.name()), escape_html(check.name));
      if (!failures.empty()) {
        ++failed;
        cases += fmt::format(">\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
                             escape_html(failures.substr(0, failures.find('\n'))),
                             escape_html(failures));
      } else if (!check.was_made(verdict)) {
        ++skipped;
        cases += "><skipped/></testcase>\n";
      } else {
        cases += "/>\n";
      }
    }
    suites += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n{}  </testsuite>\n",
        escape_html(verdict.name()), checks.size(), failed, skipped, cases);
    n_tests += checks.size();
    n_failures += failed;
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"lq-verify\" tests=\"{}\" "
      "failures=\"{}\" time=\"{:.3f}\">\n{}</testsuites>\n",
      n_tests, n_failures, seconds, suites);
}

}  // namespace lq::verify

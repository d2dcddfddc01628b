#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "common/verify/reports.h"
#include "common/verify/svg.h"

namespace lq::verify {
namespace {

constexpr std::array kChecks = {
    CheckRow{"container", "the file keeps the rules of its container"},
    CheckRow{"configuration", "what the configuration says is what the tensors are"},
    CheckRow{"tensors", "every tensor is there, in its shape and type"},
    CheckRow{"tokenizer", "the tokenizer is the model's"},
    CheckRow{"vocabulary", "tokens are those of the reference"},
    CheckRow{"scales", "scales are numbers that scales can be"},
    CheckRow{"codes", "codes, zero points and groups are possible"},
    CheckRow{"manifest", "files are those that were made"},
    CheckRow{"identity", "each tensor is the reference's"},
    CheckRow{"weights", "weights can be read and compared"},
    CheckRow{"behaviour", "the model can be run"},
    CheckRow{"max-tensor-error", "output errors of tensors"},
    CheckRow{"max-perplexity-increase", "growth of the perplexity"},
    CheckRow{"max-kld", "divergence of the predictions"},
    CheckRow{"min-top1", "agreement on the likeliest token"},
    CheckRow{"grade", "what is left of the behaviour"},
};

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

/// The names of the table and those that only findings have.
std::vector<std::string> checks_of(const Verdict& verdict) {
  std::vector<std::string> names;
  for (const CheckRow& row : kChecks) names.emplace_back(row.name);
  for (const base::Finding& finding : verdict.findings) {
    if (finding.weight == base::Weight::kFault &&
        std::ranges::find(names, finding.check) == names.end()) {
      names.push_back(finding.check);
    }
  }
  return names;
}

}  // namespace

std::span<const CheckRow> check_rows() { return kChecks; }

std::string junit_report(std::span<const Verdict> verdicts, double seconds) {
  std::string suites;
  std::size_t n_tests = 0, n_failures = 0;
  for (const Verdict& verdict : verdicts) {
    std::string cases;
    std::size_t failed = 0;
    const std::vector<std::string> checks = checks_of(verdict);
    for (const std::string& check : checks) {
      const std::string failures = failures_of(verdict, check);
      cases += fmt::format("    <testcase classname=\"{}\" name=\"{}\"",
                           escape_html(verdict.name()), escape_html(check));
      if (failures.empty()) {
        cases += "/>\n";
        continue;
      }
      ++failed;
      cases +=
          fmt::format(">\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
                      escape_html(failures.substr(0, failures.find('\n'))), escape_html(failures));
    }
    suites +=
        fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\">\n{}  </testsuite>\n",
                    escape_html(verdict.name()), checks.size(), failed, cases);
    n_tests += checks.size();
    n_failures += failed;
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"lq-verify\" tests=\"{}\" "
      "failures=\"{}\" time=\"{:.3f}\">\n{}</testsuites>\n",
      n_tests, n_failures, seconds, suites);
}

}  // namespace lq::verify

#pragma once
// Findings and verdicts as lines, for comparing them.

#include <fmt/format.h>
#include <string>

#include "common/soundness/soundness.h"

namespace lq::testing {

inline std::string shown(const soundness::Soundness& result) {
  std::string text;
  for (const base::Finding& finding : result.findings) {
    text += fmt::format("{} {} [{}] {} ({})\n",
                        finding.weight == base::Weight::kFault ? "fault" : "remark", finding.check,
                        finding.tensor, finding.what, finding.why);
  }
  return text;
}

inline std::string shown_verdicts(const soundness::Soundness& result) {
  std::string text;
  for (const soundness::RuntimeVerdict& verdict : result.runtimes) {
    text += fmt::format("{}: {}{}{}\n", verdict.name, verdict.loads ? "loads" : "no",
                        verdict.why.empty() ? "" : ", ", verdict.why);
  }
  return text;
}

}  // namespace lq::testing

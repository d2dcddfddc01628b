#include "common/soundness/report.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <tuple>

namespace lq::soundness {

void Report::fault(std::string check, std::string tensor, std::string what, std::string why,
                   Runtimes refused_by) {
  if (refused_by != kNoRuntime) effects_.push_back({refused_by, what});
  findings_.push_back({std::move(check), std::move(tensor), std::move(what), std::move(why)});
}

void Report::silent_fault(std::string check, std::string tensor, std::string what, std::string why,
                          Runtimes runtimes) {
  effects_.push_back(
      {runtimes, fmt::format("it does not notice, and computes wrong: {}", what), true});
  fault(std::move(check), std::move(tensor), std::move(what), std::move(why));
}

void Report::remark(std::string check, std::string tensor, std::string what, std::string why) {
  findings_.push_back({std::move(check), std::move(tensor), std::move(what), std::move(why),
                       base::Weight::kRemark});
}

void Report::refusal(Runtimes runtimes, std::string why) {
  effects_.push_back({runtimes, std::move(why)});
}

void Report::error(std::string check, const base::QuantizationError& error, Runtimes refused_by) {
  const auto* const unsupported = dynamic_cast<const base::UnsupportedError*>(&error);
  if (unsupported != nullptr) {
    unsupported_.push_back(*unsupported);
    return;
  }
  fault(std::move(check), "", error.what(), error.why(), refused_by);
}

bool Report::has_fault() const {
  return std::ranges::find(findings_, base::Weight::kFault, &base::Finding::weight) !=
         findings_.end();
}

bool Report::has_fault(std::string_view check) const {
  return std::ranges::any_of(findings_, [&](const base::Finding& finding) {
    return finding.weight == base::Weight::kFault && finding.check == check;
  });
}

base::Findings Report::findings() const {
  constexpr std::size_t kShown = 4;
  std::map<std::tuple<base::Weight, std::string, std::string>, std::vector<std::size_t>> same;
  for (std::size_t i = 0; i < findings_.size(); ++i) {
    same[{findings_[i].weight, findings_[i].check, findings_[i].what}].push_back(i);
  }
  base::Findings out;
  for (const base::Weight weight : {base::Weight::kFault, base::Weight::kRemark}) {
    for (std::size_t i = 0; i < findings_.size(); ++i) {
      const base::Finding& finding = findings_[i];
      if (finding.weight != weight) continue;
      const auto& alike = same[{finding.weight, finding.check, finding.what}];
      const auto place = static_cast<std::size_t>(std::ranges::find(alike, i) - alike.begin());
      if (place >= kShown) continue;
      out.push_back(finding);
      if (place + 1 < kShown || alike.size() == kShown) continue;
      out.back().why += fmt::format("; and so in {} more", alike.size() - kShown);
    }
  }
  return out;
}

void Report::throw_unsupported() const {
  if (!unsupported_.empty()) throw unsupported_.front();
}

}  // namespace lq::soundness

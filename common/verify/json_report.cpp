#include <algorithm>
#include <cmath>

#include "common/verify/reports.h"

namespace lq::verify {
namespace {

using nlohmann::ordered_json;

/// JSON has no infinity: null.
ordered_json number(double value) {
  return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr);
}

ordered_json estimate_json(const behaviour::Estimate& estimate) {
  return {{"value", number(estimate.value)},
          {"low", number(estimate.low)},
          {"high", number(estimate.high)}};
}

ordered_json findings_json(const base::Findings& findings) {
  ordered_json list = ordered_json::array();
  for (const base::Finding& finding : findings) {
    list.push_back({{"check", finding.check},
                    {"tensor", finding.tensor},
                    {"what", finding.what},
                    {"why", finding.why},
                    {"weight", finding.weight == base::Weight::kFault ? "fault" : "remark"}});
  }
  return list;
}

ordered_json tensors_json(const fidelity::Comparison& comparison) {
  ordered_json list = ordered_json::array();
  for (const fidelity::TensorError& tensor : comparison.tensors) {
    ordered_json row = {{"name", tensor.name}, {"type", tensor.storage.name}};
    if (!tensor.problem.empty()) {
      row["problem"] = tensor.problem;
    } else {
      row["rmse"] = number(tensor.rmse());
      row["relative_error"] = number(tensor.relative_error());
      row["sqnr_db"] = number(tensor.sqnr());
      row["cosine"] = number(tensor.cosine());
      row["gain"] = number(tensor.gain());
      row["largest_error"] = number(double{tensor.sums.max_diff});
      if (tensor.mean_steps) row["mean_steps"] = number(*tensor.mean_steps);
      if (tensor.output_error) row["output_error"] = number(*tensor.output_error);
    }
    list.push_back(std::move(row));
  }
  return list;
}

ordered_json repetition_json(const behaviour::Repetition& repetition) {
  return {{"repeated_share", repetition.repeated_share}, {"longest_loop", repetition.longest_loop}};
}

ordered_json continuations_json(const Verdict& verdict) {
  ordered_json list = ordered_json::array();
  for (std::size_t i = 0; i < verdict.continuations.size(); ++i) {
    const Continuation& text = verdict.continuations[i];
    const behaviour::ContinuationPair& pair = verdict.behaviour->continuations[i];
    list.push_back({{"prompt", text.prompt},
                    {"reference", text.reference},
                    {"other", text.other},
                    {"tokens_in_common", pair.n_common},
                    {"repetition_of_reference", repetition_json(pair.of_reference)},
                    {"repetition_of_other", repetition_json(pair.of_other)}});
  }
  return list;
}

void put_behaviour(const Verdict& verdict, ordered_json& json) {
  const Behaviour& behaviour = *verdict.behaviour;
  ordered_json details = {{"protocol", behaviour.protocol}, {"windows", behaviour.n_windows}};
  if (behaviour.alone) {
    json["perplexity"] = number(behaviour.alone->perplexity.value);
    details["tokens"] = behaviour.alone->n_tokens;
    details["perplexity"] = estimate_json(behaviour.alone->perplexity);
  } else {
    const behaviour::ComparisonSummary& measured = *behaviour.compared;
    json["perplexity"] = number(measured.perplexity.value);
    json["reference_perplexity"] = number(measured.reference_perplexity.value);
    json["kld_mean"] = number(measured.divergence.value);
    json["top1"] = number(measured.same_top.value);
    details["tokens"] = measured.n_tokens;
    details["positions"] = measured.n_positions;
    details["perplexity"] = estimate_json(measured.perplexity);
    details["reference_perplexity"] = estimate_json(measured.reference_perplexity);
    details["perplexity_ratio"] = estimate_json(measured.perplexity_ratio);
    details["kld"] = {{"mean", estimate_json(measured.divergence)},
                      {"median", number(measured.divergence_median)},
                      {"p90", number(measured.divergence_90)},
                      {"p99", number(measured.divergence_99)},
                      {"max", number(measured.divergence_max)}};
    details["top1"] = estimate_json(measured.same_top);
    details["p_change"] = estimate_json(measured.p_change);
    details["p_change_rms"] = estimate_json(measured.p_change_rms);
    details["continuations"] = continuations_json(verdict);
    json["grade"] = verdict.grade()->name;
  }
  json["behaviour"] = std::move(details);
}

ordered_json verdict_json(const Verdict& verdict) {
  const soundness::Soundness& sound = verdict.soundness;
  ordered_json json = {{"path", verdict.path.string()}, {"good", verdict.is_good()},
                       {"container", sound.container},  {"format", sound.format},
                       {"scheme", sound.scheme},        {"architecture", sound.architecture},
                       {"tensors", sound.n_tensors},    {"bytes", sound.n_bytes}};
  if (verdict.behaviour) put_behaviour(verdict, json);
  json["findings"] = findings_json(verdict.findings);
  ordered_json runtimes = ordered_json::array();
  for (const soundness::RuntimeVerdict& runtime : sound.runtimes) {
    runtimes.push_back({{"name", runtime.name}, {"loads", runtime.loads}, {"why", runtime.why}});
  }
  json["runtimes"] = std::move(runtimes);
  if (verdict.comparison) {
    json["relative_error"] = number(relative_error(*verdict.comparison));
    json["weights"] = tensors_json(*verdict.comparison);
  }
  return json;
}

}  // namespace

ordered_json json_report(std::span<const Verdict> verdicts, const Heading& heading) {
  ordered_json json = verdict_json(verdicts.front());
  if (!heading.reference.empty()) json["reference"] = heading.reference;
  if (!heading.calibration.empty()) json["calibration"] = heading.calibration;
  if (verdicts.size() == 1) return json;
  json["good"] = std::ranges::all_of(verdicts, &Verdict::is_good);
  ordered_json results = ordered_json::array();
  for (const Verdict& verdict : verdicts) results.push_back(verdict_json(verdict));
  json["results"] = std::move(results);
  return json;
}

}  // namespace lq::verify

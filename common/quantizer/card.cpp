#include "common/quantizer/card.h"

#include <fmt/format.h>
#include <map>

#include "common/hf/result_card.h"

namespace lq::quantizer {
namespace {

std::string last_name(const std::string& module) { return module.substr(module.rfind('.') + 1); }

/// Errors by role, in the order of a layer, each the mean of its layers weighed by their energy.
std::vector<hf::RoleError> role_errors(const std::vector<ModuleReport>& reports) {
  std::vector<std::string> roles;
  std::map<std::string, std::vector<ModuleReport>> by_role;
  for (const ModuleReport& report : reports) {
    if (report.method != "solved") continue;
    const std::string role = last_name(report.module);
    if (!by_role.contains(role)) roles.push_back(role);
    by_role[role].push_back(report);
  }
  std::vector<hf::RoleError> errors;
  for (const std::string& role : roles) {
    const ReportSummary summary = summary_of(by_role[role]);
    errors.push_back({role, summary.n_solved, summary.error, summary.error_of_rounding});
  }
  return errors;
}

std::string method_text(const Job& job) {
  if (job.request.data_free) return "Weights were rounded to nearest, without calibration data.";
  std::string text = job.request.preparation;
  if (job.request.nearest) {
    return text +
           (job.request.search_ranges
                ? "Weights were rounded to nearest, on ranges clipped for the least error of "
                  "the layers' outputs."
                : "Weights were rounded to nearest, on ranges from the least to the greatest "
                  "value.");
  }
  text += "GPTQ: error feedback over the columns, the most important first, on grids whose ranges ";
  text += job.request.search_ranges ? "were searched under the error weighted by the activations"
                                    : "go from the least to the greatest value";
  if (job.request.sweeps > 0) {
    text += fmt::format(
        "; then {} sweeps of least-squares scales and coordinate descent on the "
        "codes under the exact output error",
        job.request.sweeps);
  }
  text += ".";
  if (job.request.sequential) {
    text +=
        " Layers were quantized one after the other: each from what the quantized layers "
        "before it make of the calibration texts, towards the output of the original layer.";
  }
  return text;
}

}  // namespace

std::string card_text(const Job& job, const std::vector<ModuleReport>& reports) {
  const hf::QuantizationFacts& facts = job.directory.facts;
  hf::CardFacts card;
  card.title = fmt::format("{}, {} {} bits", model::model_name(job.checkpoint.dir),
                           job.directory.format->name, facts.scheme.bits);
  card.method = method_text(job);
  card.format = job.directory.format;
  card.quantization = &facts;
  if (job.calibration) {
    const calibration::Description& description = job.calibration->description();
    card.settings.emplace_back("Calibration",
                               fmt::format("{} windows, {} tokens, {}", description.n_windows,
                                           description.n_tokens, description.data_name));
    card.settings.emplace_back(
        "Damping", fmt::format("{:g} of {}", job.request.damping.share,
                               job.request.damping.per_channel ? "each channel's diagonal element"
                                                               : "the mean of the diagonal"));
  }
  card.errors = role_errors(reports);
  card.verdicts = job.verdicts;
  card.unknown_tensors = job.units->layout().unknown_tensors;
  return hf::result_card(job.checkpoint, card);
}

}  // namespace lq::quantizer

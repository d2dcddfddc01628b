#include "common/quantizer/module_report.h"

#include <fmt/format.h>
#include <span>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/stage/scratch_file.h"

namespace lq::quantizer {

using nlohmann::json;
using nlohmann::ordered_json;

ordered_json to_json(const ModuleReport& report) {
  ordered_json object = {
      {"module", report.module},
      {"bits", report.bits},
      {"group_size", report.group_size},
      {"method", report.method},
      {"error", report.error},
      {"error_of_rounding", report.error_of_rounding},
      {"energy", report.energy},
      {"saturation", report.saturation},
      {"damping", report.damping},
      {"dead_columns", report.dead_columns},
      {"rounded_rows", report.rounded_rows},
  };
  if (report.correction) object["correction"] = *report.correction;
  if (!report.note.empty()) object["note"] = report.note;
  object["seconds"] = report.seconds;
  return object;
}

ModuleReport report_from_json(const json& object) {
  ModuleReport report;
  object.at("module").get_to(report.module);
  object.at("bits").get_to(report.bits);
  object.at("group_size").get_to(report.group_size);
  object.at("method").get_to(report.method);
  object.at("error").get_to(report.error);
  object.at("error_of_rounding").get_to(report.error_of_rounding);
  object.at("energy").get_to(report.energy);
  object.at("saturation").get_to(report.saturation);
  object.at("damping").get_to(report.damping);
  object.at("dead_columns").get_to(report.dead_columns);
  object.at("rounded_rows").get_to(report.rounded_rows);
  if (object.contains("correction")) report.correction = object["correction"].get<double>();
  report.note = object.value("note", "");
  object.at("seconds").get_to(report.seconds);
  return report;
}

std::string describe(const ModuleReport& report) {
  std::string text = base::escape_controls(report.module) + ": ";
  if (report.method == "solved") {
    text += fmt::format("output error {:.3g}, {:.2f} of rounding's", report.error,
                        report.error_of_rounding > 0 ? report.error / report.error_of_rounding : 0);
  } else {
    text += "rounded to nearest";
  }
  text += fmt::format("; {:.1f} % of the codes at an end", 100 * report.saturation);
  if (report.damping > 0) text += fmt::format("; damping {:g}", report.damping);
  if (report.dead_columns > 0) text += fmt::format("; {} dead columns", report.dead_columns);
  if (report.rounded_rows > 0) text += fmt::format("; {} rows rounded", report.rounded_rows);
  if (report.correction) text += fmt::format("; correction {:.2f}", *report.correction);
  if (!report.note.empty()) text += "; " + report.note;
  return text + fmt::format("; {:.2f} s", report.seconds);
}

ReportFolder::ReportFolder(std::filesystem::path folder, std::string tag)
    : folder_(std::move(folder)), tag_(std::move(tag)) {}

std::filesystem::path ReportFolder::path(std::size_t unit) const {
  return folder_ / fmt::format("report-{:05}.json", unit);
}

std::string ReportFolder::tag(std::size_t unit) const {
  return fmt::format("{} report {}", tag_, unit);
}

void ReportFolder::keep(std::size_t unit, const std::vector<ModuleReport>& reports) const {
  ordered_json list = json::array();
  for (const ModuleReport& report : reports) list.push_back(to_json(report));
  const std::string text = list.dump();
  stage::ScratchWriter file(path(unit), tag(unit));
  file.write(std::as_bytes(std::span(text)));
  file.finish();
}

std::optional<std::vector<ModuleReport>> ReportFolder::find(std::size_t unit) const {
  const auto file = stage::ScratchReader::open(path(unit), tag(unit));
  if (!file) return std::nullopt;
  std::string text(file->size(), '\0');
  file->read_at(0, std::as_writable_bytes(std::span(text)));
  std::vector<ModuleReport> reports;
  const json list = json::parse(text);
  for (const json& object : list) reports.push_back(report_from_json(object));
  return reports;
}

std::vector<ModuleReport> ReportFolder::take(std::size_t unit) const {
  auto found = find(unit);
  if (found) return *std::move(found);
  throw base::CheckpointError(
      "cannot finish the unfinished result",
      fmt::format("{} is gone or damaged, which earlier runs have left there",
                  base::shown(path(unit))),
      "begin anew with --no-resume");
}

ReportSummary summary_of(const std::vector<ModuleReport>& reports) {
  ReportSummary summary;
  double energy = 0;
  for (const ModuleReport& report : reports) {
    if (report.method != "solved") {
      ++summary.n_rounded;
      continue;
    }
    ++summary.n_solved;
    energy += report.energy;
    summary.error += report.error * report.energy;
    summary.error_of_rounding += report.error_of_rounding * report.energy;
  }
  if (energy > 0) {
    summary.error /= energy;
    summary.error_of_rounding /= energy;
  }
  return summary;
}

}  // namespace lq::quantizer

#include "common/cli/result.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/text.h"
#include "common/cli/values.h"

namespace lq::cli {
namespace {

constexpr const char* kSchema = "lq-result/1";

std::uint64_t bytes_of(const stage::ResultPlan& result) {
  std::uint64_t bytes = 0;
  for (const stage::OutputFile& file : result.files) {
    bytes += file.is_open() ? file.expected_size : file.size;
  }
  return bytes;
}

void describe_plan(const stage::Plan& plan, const stage::StageReport& report,
                   std::optional<double> seconds, ToolResult& result) {
  std::uint64_t written = 0;
  nlohmann::ordered_json outputs = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < plan.results.size(); ++i) {
    const bool current = report.status[i] == stage::ResultStatus::kUpToDate;
    const std::uint64_t bytes = bytes_of(plan.results[i]);
    const std::string path = plan.results[i].path.string();
    if (!current) written += bytes;
    outputs.push_back(
        {{"path", path}, {"bytes", bytes}, {"status", current ? "uptodate" : "planned"}});
    result.lines.push_back(fmt::format("{}: {}{}", base::escape_controls(path),
                                       base::format_bytes(bytes), current ? " (up to date)" : ""));
  }
  result.lines.push_back(fmt::format("units of work: {}", plan.units.size()));
  result.lines.push_back(fmt::format("reads: {}", base::format_bytes(plan.read_bytes)));
  result.lines.push_back(fmt::format("writes: {}", base::format_bytes(written)));
  std::uint64_t scratch = 0;
  for (const stage::ResultPlan& planned : plan.results) scratch += planned.scratch_bytes;
  if (scratch > 0) {
    result.lines.push_back(
        fmt::format("disk while it runs: {}", base::format_bytes(written + scratch)));
  }
  result.lines.push_back(fmt::format("memory: {}", base::format_bytes(plan.memory_bytes)));
  if (seconds) result.lines.push_back("time: about " + format_seconds(*seconds));
  result.status = "planned";
  result.json["path"] = report.paths.front().string();
  result.json["outputs"] = outputs;
  result.json["units"] = plan.units.size();
  result.json["read_bytes"] = plan.read_bytes;
  result.json["write_bytes"] = written;
  if (scratch > 0) result.json["scratch_bytes"] = scratch;
  result.json["memory_bytes"] = plan.memory_bytes;
  if (seconds) result.json["estimated_seconds"] = *seconds;
}

nlohmann::ordered_json manifest_of(const stage::StageReport& report, std::size_t i) {
  if (i >= report.manifests.size() || report.manifests[i].empty()) return nullptr;
  return report.manifests[i].string();
}

void describe_work(const stage::StageReport& report, nlohmann::ordered_json& json) {
  json["cpu_seconds"] = report.cpu_seconds;
  json["read_bytes"] = report.read_bytes;
  json["written_bytes"] = report.written_bytes;
  json["peak_rss"] = report.peak_rss;
  json["bound_by"] = report.bound_by;
}

}  // namespace

std::string json_line(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

ToolResult result_of(const stage::Plan& plan, const stage::StageReport& report,
                     std::optional<double> estimated_seconds) {
  ToolResult result;
  const auto has = [&](stage::ResultStatus status) {
    return std::ranges::find(report.status, status) != report.status.end();
  };
  if (has(stage::ResultStatus::kPlanned)) {
    describe_plan(plan, report, estimated_seconds, result);
    return result;
  }
  result.lines_are_paths = true;
  for (const auto& path : report.paths) result.lines.push_back(path.string());
  const bool worked = has(stage::ResultStatus::kMade) || has(stage::ResultStatus::kShardDone);
  result.status = worked ? "made" : "uptodate";
  result.json["path"] = report.paths.front().string();
  result.json["manifest"] = manifest_of(report, 0);
  if (report.paths.size() > 1) {
    auto& outputs = result.json["outputs"] = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < report.paths.size(); ++i) {
      outputs.push_back({{"path", report.paths[i].string()}, {"manifest", manifest_of(report, i)}});
    }
  }
  if (worked) describe_work(report, result.json);
  if (has(stage::ResultStatus::kShardDone)) return result;
  for (const stage::ResultPlan& made : plan.results) {
    result.targets.push_back(made.path.string());
    for (const stage::Input& input : made.inputs) {
      for (const stage::InputFile& file : input.files) {
        const std::string path = file.path.string();
        if (std::ranges::find(result.dependencies, path) == result.dependencies.end()) {
          result.dependencies.push_back(path);
        }
      }
    }
  }
  return result;
}

void require_printable(const std::string& path, bool json, bool null_terminated) {
  if (json || null_terminated || path.find('\n') == std::string::npos) return;
  throw base::UsageError("cannot print the path " + base::escape_controls(path),
                         "it contains a newline, which ends a path on standard output",
                         "add --null (-0), or choose another name with --output");
}

std::string render(const ToolResult& result, const std::string& tool, bool json,
                   bool null_terminated, double seconds) {
  if (json) {
    nlohmann::ordered_json object = {
        {"schema", kSchema}, {"tool", tool}, {"status", result.status}};
    for (const auto& [key, value] : result.json.items()) object[key] = value;
    object["seconds"] = seconds;
    return json_line(object) + "\n";
  }
  std::string text;
  for (const std::string& line : result.lines) {
    if (result.lines_are_paths) require_printable(line, json, null_terminated);
    text += line;
    text += result.lines_are_paths && null_terminated ? '\0' : '\n';
  }
  return text;
}

nlohmann::ordered_json error_json(const base::QuantizationError& error) {
  return {{"code", static_cast<int>(error.exit_code())},
          {"what", error.what()},
          {"why", error.why()},
          {"fix", error.fix()},
          {"detail", nlohmann::ordered_json::object()}};
}

std::string render_failure(const base::QuantizationError& error, const std::string& tool,
                           double seconds) {
  return json_line({{"schema", kSchema},
                    {"tool", tool},
                    {"status", "failed"},
                    {"error", error_json(error)},
                    {"seconds", seconds}}) +
         "\n";
}

}  // namespace lq::cli

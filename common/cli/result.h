#pragma once
// What a run of a tool has to say on standard output, and as what: lines of text or one JSON
// object.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/base/errors.h"
#include "common/stage/run_stage.h"

namespace lq::cli {

/// What a tool prints on stdout: result lines, or a report.
struct ToolResult {
  std::vector<std::string> lines;  // one per result (paths), or the report's text
  bool lines_are_paths = false;    // --null ends them with NUL, and one with a newline needs it
  nlohmann::ordered_json json;     // the object of --json, without schema/tool/status/seconds
  std::string status = "ok";       // made, uptodate, ok, planned
  base::ExitCode code = base::ExitCode::kDone;
  // For --depfile: what was made and from which files; empty where nothing was.
  std::vector<std::string> targets, dependencies;
};

/// The result of run_stage(): paths that were made or are up to date, or the plan after a dry run,
/// of which `estimated_seconds` is the time that the work will take, where the tool knows.
ToolResult result_of(const stage::Plan& plan, const stage::StageReport& report,
                     std::optional<double> estimated_seconds = {});

/// Throws UsageError for a path that cannot be a line of standard output.
void require_printable(const std::string& path, bool json, bool null_terminated);

/// What goes to standard output. Throws as require_printable().
std::string render(const ToolResult& result, const std::string& tool, bool json,
                   bool null_terminated, double seconds);

/// {"code":4,"what":...,"why":...,"fix":...,"detail":{}}
nlohmann::ordered_json error_json(const base::QuantizationError& error);
/// The line of --json when a run failed.
std::string render_failure(const base::QuantizationError& error, const std::string& tool,
                           double seconds);

/// One line, whatever bytes its strings hold.
std::string json_line(const nlohmann::ordered_json& json);

}  // namespace lq::cli

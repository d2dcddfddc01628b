#include "common/stage/manifest.h"

#include <algorithm>
#include <cmath>

#include "common/base/errors.h"
#include "common/io/atomic_file.h"
#include "common/io/file_status.h"
#include "common/io/input_file.h"
#include "common/stage/fingerprint.h"
#include "common/stage/host.h"

namespace lq::stage {
namespace {

constexpr const char* kSchema = "lq-manifest/1";

double milliseconds(double seconds) { return std::round(seconds * 1000) / 1000; }

bool stays_inside(const std::filesystem::path& path) {
  return !path.empty() && path.is_relative() && std::ranges::find(path, "..") == path.end();
}

}  // namespace

nlohmann::json inputs_record(const std::vector<Input>& inputs) {
  nlohmann::json record = nlohmann::json::array();
  for (const Input& input : inputs) {
    nlohmann::json files = nlohmann::json::array();
    for (const InputFile& file : input.files) {
      files.push_back(
          {{"path", file.path.string()}, {"size", file.size}, {"mtime_ns", file.mtime_ns}});
      if (!file.sha256.empty()) files.back()["sha256"] = file.sha256;
    }
    record.push_back({{"role", input.role},
                      {"path", input.path.string()},
                      {"content_id", input.content_id},
                      {"files", files}});
    if (!input.origin.is_null()) record.back()["origin"] = nlohmann::json(input.origin);
  }
  return record;
}

nlohmann::json outputs_record(const std::vector<FileRecord>& outputs) {
  nlohmann::json record = nlohmann::json::array();
  for (const FileRecord& output : outputs) {
    record.push_back({{"path", output.path.string()},
                      {"size", output.size},
                      {"mtime_ns", output.mtime_ns},
                      {"sha256", output.sha256}});
  }
  return record;
}

nlohmann::json make_manifest(const Plan& plan, const ResultPlan& result,
                             const nlohmann::ordered_json& numbers,
                             const std::vector<FileRecord>& outputs, const RunNumbers& run) {
  nlohmann::json summary = nlohmann::json::object();
  if (result.summary.is_object()) summary.update(nlohmann::json(result.summary));
  if (numbers.is_object()) summary.update(nlohmann::json(numbers));
  return {{"schema", kSchema},
          {"tool", result.tool},
          {"version", plan.version},
          {"commit", plan.commit},
          {"format_version", result.format_version},
          {"argv", plan.argv},
          {"options", nlohmann::json(result.options)},
          {"inputs", inputs_record(result.inputs)},
          {"fingerprint", result.fingerprint()},
          {"outputs", outputs_record(outputs)},
          {"result", summary},
          {"time", utc_now()},
          {"seconds", milliseconds(run.seconds)},
          {"cpu_seconds", milliseconds(run.cpu_seconds)},
          {"peak_rss", run.peak_rss},
          {"bound_by", run.bound_by},
          {"host", host_name()}};
}

std::vector<FileRecord> recorded_outputs(const nlohmann::json& manifest) {
  std::vector<FileRecord> outputs;
  if (!manifest.contains("outputs")) return outputs;
  for (const auto& entry : manifest["outputs"]) {
    try {
      FileRecord record{.path = entry.at("path").get<std::string>(),
                        .size = entry.at("size").get<std::uint64_t>(),
                        .mtime_ns = entry.at("mtime_ns").get<std::int64_t>(),
                        .sha256 = entry.at("sha256").get<std::string>()};
      if (stays_inside(record.path)) outputs.push_back(std::move(record));
    } catch (const nlohmann::json::exception&) {
      // A damaged entry describes no file; the caller finds the file unrecorded.
    }
  }
  return outputs;
}

std::optional<nlohmann::json> read_manifest(const std::filesystem::path& path) {
  if (!io::file_status(path)) return std::nullopt;
  std::string text;
  try {
    text = io::read_text_file(path);
  } catch (const base::QuantizationError&) {
    return std::nullopt;
  }
  nlohmann::json manifest = nlohmann::json::parse(text, nullptr, false);
  for (const char* key : {"schema", "tool", "fingerprint"}) {
    if (!manifest.is_object() || !manifest.contains(key) || !manifest[key].is_string()) {
      return std::nullopt;
    }
  }
  if (manifest["schema"] != kSchema) return std::nullopt;
  return manifest;
}

void write_manifest(const std::filesystem::path& path, const nlohmann::json& manifest) {
  io::write_file_atomically(
      path, manifest.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace lq::stage

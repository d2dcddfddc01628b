#include "common/soundness/manifest_checks.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/base/text.h"
#include "common/io/file_status.h"
#include "common/io/input_file.h"
#include "common/model/checkpoint.h"
#include "common/stage/manifest.h"

namespace lq::soundness {
namespace {

using nlohmann::json;

constexpr const char* kCheck = "manifest";

/// What is recorded of a file of an input; empty for a broken entry.
struct InputRecord {
  std::filesystem::path path;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::string sha256;
};

std::optional<InputRecord> input_record(const json& entry) {
  try {
    return InputRecord{entry.at("path").get<std::string>(), entry.at("size").get<std::uint64_t>(),
                       entry.at("mtime_ns").get<std::int64_t>(),
                       entry.value("sha256", std::string())};
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

/// Whether the model directory still has the content that is recorded; true where it cannot be
/// told.
bool is_same_model(const json& input) {
  try {
    const model::Checkpoint checkpoint = model::open_checkpoint(text_of(input, "path"));
    const std::string recorded = text_of(input, "content_id");
    return recorded.empty() || model::describe_input(checkpoint).content_id == recorded;
  } catch (const base::QuantizationError&) {
    return false;
  }
}

}  // namespace

void ManifestChecks::read(const std::filesystem::path& manifest, const std::filesystem::path& root,
                          Report& report) {
  if (!io::file_status(manifest)) return;
  found_ = true;
  const std::optional<json> parsed = stage::read_manifest(manifest);
  const auto n_outputs = parsed && parsed->contains("outputs") && (*parsed)["outputs"].is_array()
                             ? (*parsed)["outputs"].size()
                             : 0;
  const std::vector<stage::FileRecord> outputs =
      n_outputs > 0 ? stage::recorded_outputs(*parsed) : std::vector<stage::FileRecord>();
  if (outputs.empty() || outputs.size() != n_outputs) {
    report.fault(kCheck, "", fmt::format("{} is damaged", base::shown(manifest.filename())),
                 "it does not say what the files of the result are");
    return;
  }
  for (const stage::FileRecord& output : outputs) {
    recorded_.push_back({root / output.path, output.path.string(), output.size, output.sha256});
  }
  const auto inputs = parsed->find("inputs");
  for (const json& input :
       inputs != parsed->end() && inputs->is_array() ? *inputs : json::array()) {
    read_input(input, report);
  }
}

void ManifestChecks::read_input(const json& input, Report& report) {
  const auto files = input.is_object() ? input.find("files") : input.end();
  if (files == input.end() || !files->is_array()) return;
  const std::string role = text_of(input, "role");
  bool is_older = false, is_there = false;
  for (const json& entry : *files) {
    const std::optional<InputRecord> record = input_record(entry);
    if (!record) continue;
    const auto status = io::file_status(record->path);
    if (!status) continue;
    is_there = true;
    if (status->size != record->size) {
      report.remark(kCheck, record->path.filename().string(),
                    fmt::format("the {} that it was made from has changed", role),
                    fmt::format("{} has {} bytes, {} are recorded", base::shown(record->path),
                                status->size, record->size));
    } else if (status->mtime_ns != record->mtime_ns) {
      is_older = true;
      if (record->sha256.empty()) continue;
      recorded_.push_back({record->path, role, record->size, record->sha256, true});
    }
  }
  if (!is_there || !is_older || role != "model" || is_same_model(input)) return;
  report.remark(
      kCheck, "", fmt::format("the {} that it was made from has changed", role),
      fmt::format("{} has other contents than are recorded", base::shown(text_of(input, "path"))));
}

void ManifestChecks::add_jobs(std::vector<FileJob>& jobs) const {
  for (const Recorded& recorded : recorded_) {
    const auto status = io::file_status(recorded.path);
    // Of another size it is another file: no need to read it.
    if (recorded.sha256.empty() || !status || status->size != recorded.size) continue;
    const auto job = std::ranges::find_if(
        jobs, [&](const FileJob& one) { return io::same_file(one.path, recorded.path); });
    if (job != jobs.end()) {
      job->hash = true;
    } else {
      FileJob& added = jobs.emplace_back();
      added.path = recorded.path;
      added.hash = true;
    }
  }
}

void ManifestChecks::judge(const std::vector<FileJob>& jobs, Report& report) const {
  for (const Recorded& recorded : recorded_) {
    const auto status = io::file_status(recorded.path);
    if (!status) {
      report.fault(kCheck, recorded.name, "a file of the manifest is missing",
                   "the result is not complete");
      continue;
    }
    if (status->size != recorded.size) {
      report.fault(kCheck, recorded.name, "a file has another size than the manifest records",
                   fmt::format("{} bytes, not {}", status->size, recorded.size));
      continue;
    }
    const auto job = std::ranges::find_if(
        jobs, [&](const FileJob& one) { return io::same_file(one.path, recorded.path); });
    if (job == jobs.end() || job->sha256.empty() || job->sha256 == recorded.sha256) continue;
    if (recorded.is_input) {
      report.remark(
          kCheck, recorded.path.filename().string(),
          fmt::format("the {} that it was made from has changed", recorded.name),
          fmt::format("{} has another SHA-256 than is recorded", base::shown(recorded.path)));
    } else {
      report.fault(kCheck, recorded.name, "a file has another hash than the manifest records",
                   "its bytes are not those that were written: damaged, or changed since");
    }
  }
}

}  // namespace lq::soundness

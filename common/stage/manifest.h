#pragma once
// The manifest: what made a result, from what, and how its files can be recognised. Beside a file X
// it is X.lq.json.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/stage/plan.h"

namespace lq::stage {

/// An output file as the manifest records it.
struct FileRecord {
  std::filesystem::path path;  // relative to the result's directory
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::string sha256;
};

/// What a run cost, for people.
struct RunNumbers {
  double seconds = 0, cpu_seconds = 0;
  std::uint64_t peak_rss = 0;
  std::string bound_by;
};

/// `numbers` are merged over the plan's summary into the `result` block.
nlohmann::json make_manifest(const Plan& plan, const ResultPlan& result,
                             const nlohmann::ordered_json& numbers,
                             const std::vector<FileRecord>& outputs, const RunNumbers& run);

nlohmann::json inputs_record(const std::vector<Input>& inputs);
nlohmann::json outputs_record(const std::vector<FileRecord>& outputs);
/// Entries of `outputs` that name a place inside the result; others are left out, as are broken
/// ones.
std::vector<FileRecord> recorded_outputs(const nlohmann::json& manifest);

/// Empty when there is none or it is not one of ours.
std::optional<nlohmann::json> read_manifest(const std::filesystem::path& path);
/// Atomically. Throws OutputError.
void write_manifest(const std::filesystem::path& path, const nlohmann::json& manifest);

}  // namespace lq::stage

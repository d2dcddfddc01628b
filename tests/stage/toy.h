#pragma once
// A tool for testing the frame: many small units of pseudo-random bytes with padding between them,
// and what it does to the disk. Every byte follows from the plan, so the whole result is known
// without running anything.

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "common/io/digest.h"
#include "common/stage/paths.h"
#include "common/stage/run_stage.h"
#include "tests/support/scratch.h"

namespace lq::stage::testing {

struct ToyShape {
  std::size_t units = 40;
  std::size_t files = 1;
  std::uint64_t unit_bytes = 1000;  // unit i has i % 7 bytes more
  std::uint64_t padding = 24;       // zero bytes after each unit
  ResultKind kind = ResultKind::kFiles;
  std::string type = "q4_k_m";  // an option of the result; changes the bytes
};

/// One result at `path`. Several calls on one plan add results to the same units.
inline void add_result(Plan& plan, const std::filesystem::path& path, const ToyShape& shape = {}) {
  const std::size_t index = plan.results.size();
  ResultPlan result;
  result.kind = shape.kind;
  result.path = path;
  result.tool = "lq-toy";
  result.options = {{"type", shape.type}};
  result.summary = {{"bits", 4}};
  for (std::size_t file = 0; file < shape.files; ++file) {
    std::filesystem::path name = path;
    if (file > 0) name += "." + std::to_string(file);
    if (shape.kind == ResultKind::kDirectory) name = "sub/file" + std::to_string(file);
    result.files.push_back({name, 0});
  }
  plan.units.resize(std::max(plan.units.size(), shape.units));
  for (std::size_t unit = 0; unit < shape.units; ++unit) {
    plan.units[unit].name = "unit." + std::to_string(unit);
    plan.units[unit].cost = static_cast<double>(1 + unit % 3);
    const std::size_t file = unit * shape.files / shape.units;
    const std::uint64_t size = shape.unit_bytes + unit % 7;
    plan.units[unit].extents.push_back({index, file, result.files[file].size, size});
    result.files[file].size += size + shape.padding;
  }
  plan.results.push_back(std::move(result));
}

inline Plan toy_plan(const std::filesystem::path& path, const ToyShape& shape = {}) {
  Plan plan;
  plan.tool = "lq-toy";
  plan.version = "1.2.3";
  plan.argv = {"lq-toy", "in", "-t", shape.type};
  add_result(plan, path, shape);
  return plan;
}

inline std::string unit_bytes(const Plan& plan, std::size_t unit, const Extent& extent) {
  const std::string seed = plan.results[extent.result].options.dump() + plan.units[unit].name;
  std::uint64_t state = std::hash<std::string>()(seed);
  std::string bytes(extent.size, '\0');
  for (char& byte : bytes) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<char>(state >> 56);
  }
  return bytes;
}

/// The bytes of files[file], as a run must make them.
inline std::string expected_file(const Plan& plan, std::size_t result = 0, std::size_t file = 0) {
  std::string bytes(plan.results[result].files[file].size, '\0');
  for (std::size_t unit = 0; unit < plan.units.size(); ++unit) {
    for (const Extent& extent : plan.units[unit].extents) {
      if (extent.result != result || extent.file != file) continue;
      bytes.replace(extent.offset, extent.size, unit_bytes(plan, unit, extent));
    }
  }
  return bytes;
}

inline std::string hash_of(const std::string& bytes) {
  return io::sha256_hex(std::as_bytes(std::span(bytes)));
}

class ToyWork : public UnitWork {
 public:
  explicit ToyWork(const Plan& plan) : plan_(plan) {}
  void run(std::size_t unit, UnitSink& sink) override {
    if (before) before(unit);
    ++units_run;
    for (const Extent& extent : plan_.units[unit].extents) {
      const std::string bytes = unit_bytes(plan_, unit, extent);
      sink.write(extent.result, std::as_bytes(std::span(bytes)));
    }
  }
  nlohmann::ordered_json result_numbers(std::size_t) override { return {{"answer", 42}}; }
  std::uint64_t bytes_read() const override { return 7; }

  std::function<void(std::size_t unit)> before;  // may throw
  std::atomic<std::size_t> units_run = 0;

 private:
  const Plan& plan_;
};

struct ToyObserver : StageObserver {
  void planned(const Plan&, std::size_t units_kept) override { kept = units_kept; }
  void message(const std::string& text) override { messages.push_back(text); }
  void warning(const std::string& what, const std::string& why) override {
    warnings.push_back(what + ": " + why);
  }
  void unit_done(const Plan&, std::size_t, double) override { ++done; }
  void finished(const Plan&, const StageReport&) override { ++finished_calls; }
  void ended() override { ++ended_calls; }

  std::size_t kept = 0, done = 0, finished_calls = 0, ended_calls = 0;
  std::vector<std::string> messages, warnings;
};

/// A whole run with what was seen of it.
struct ToyRun {
  StageReport report;
  ToyObserver observer;
  std::size_t units_run = 0;
};

inline ToyRun run_toy(const Plan& plan, const StageOptions& options = {}) {
  ToyRun run;
  ToyWork work(plan);
  run.report = run_stage(plan, options, work, run.observer);
  run.units_run = work.units_run;
  return run;
}

/// Runs the first `units` pending units, then stops as SIGTERM does: part and journal stay.
inline void run_partly(const Plan& plan, std::size_t units, const StageOptions& options = {}) {
  ToyWork work(plan);
  std::atomic<std::size_t> started = 0;
  work.before = [&](std::size_t) {
    if (++started >= units) request_stop(StopReason::kTerminate);
  };
  ToyObserver observer;
  EXPECT_THROW(run_stage(plan, options, work, observer), Interrupted);
  request_stop(StopReason::kNone);
}

/// Names in the directory, sorted, joined by blanks.
inline std::string names_in(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
  return text;
}

inline void overwrite(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace lq::stage::testing

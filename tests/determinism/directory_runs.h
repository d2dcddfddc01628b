#pragma once
// Runs of tools that make directories: what they made, and runs that are ended from outside.

#include <algorithm>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <span>
#include <string>

#include "common/io/digest.h"
#include "tests/support/command.h"
#include "tests/support/scratch.h"
#include "tests/support/wait_until.h"

namespace lq::testing {

class DirectoryRuns : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return scratch_.path() / name; }
  std::filesystem::path part(const std::string& name) const { return path(name + ".lq-part"); }
  std::filesystem::path journal(const std::string& name) const {
    return path(name + ".lq-journal");
  }

  using Files = std::map<std::string, std::string>;  // hashes by name

  nlohmann::json manifest_of(const std::string& name) const {
    return nlohmann::json::parse(read_file(path(name) + "/lq-manifest.json"));
  }

  /// Of all files but the manifest, which tells times. What it tells of the files must hold.
  Files files_of(const std::string& name) const {
    Files files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path(name))) {
      const std::string bytes = entry.is_regular_file() ? read_file(entry.path()) : "no file";
      files[entry.path().filename()] = io::sha256_hex(std::as_bytes(std::span(bytes)));
    }
    files.erase("lq-manifest.json");
    Files told;
    const nlohmann::json manifest = manifest_of(name);
    for (const auto& output : manifest["outputs"]) told[output["path"]] = output["sha256"];
    EXPECT_EQ(told, files);
    return files;
  }

  /// Runs to the end, after which nothing may lie beside the result.
  Files result_of(const std::string& name, const Command& command) const {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    if (outcome.exit_code != 0) return {};
    for (const auto& entry : std::filesystem::directory_iterator(scratch_.path())) {
      const std::string beside = entry.path().filename();
      EXPECT_TRUE(beside == name || !beside.starts_with(name + ".")) << beside;
    }
    return files_of(name);
  }

  static std::size_t lines_of(const std::filesystem::path& file) {
    const std::string text = std::filesystem::exists(file) ? read_file(file) : "";
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
  }

  /// Whether a run that is not done yet has made this linear, and told so in its scratch folder.
  bool has_report_of(const std::string& name, const std::string& module) const {
    std::error_code gone;  // before the run makes the folder, and once it is done
    std::filesystem::directory_iterator entry(part(name) / "scratch", gone), end;
    for (; !gone && entry != end; entry.increment(gone)) {
      const std::string file = entry->path().filename();
      if (!file.starts_with("report-") || !file.ends_with(".json")) continue;
      if (read_file(entry->path()).find('"' + module + '"') != std::string::npos) return true;
    }
    return false;
  }

  /// Runs until the moment and sends a signal then; whether that ended it.
  static bool end_when(const Command& command, const std::function<bool()>& moment,
                       int number = SIGKILL) {
    RunningCommand running(command);
    EXPECT_TRUE(wait_until([&] { return moment() || running.ended(); }));
    running.signal(number);
    const int code = running.wait();
    EXPECT_TRUE(code == 0 || code == 128 + number) << code;
    return code != 0;
  }

  ScratchDirectory scratch_;
};

}  // namespace lq::testing

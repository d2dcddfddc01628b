#pragma once
// The manifest of a result: whether its files are those that the tool wrote, and whether what they
// were made from is still what it was. A result without one is no worse for it.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "common/soundness/pass.h"
#include "common/soundness/report.h"

namespace lq::soundness {

class ManifestChecks {
 public:
  /// Reads `manifest`, where it is there. `root`: the directory that its outputs are named from.
  void read(const std::filesystem::path& manifest, const std::filesystem::path& root,
            Report& report);
  /// Has recorded files hashed: those of `jobs`, and others added behind them. Inputs are hashed
  /// where a hash of them is recorded and their time is another than the recorded one.
  void add_jobs(std::vector<FileJob>& jobs) const;
  void judge(const std::vector<FileJob>& jobs, Report& report) const;

  bool found() const { return found_; }

 private:
  struct Recorded {
    std::filesystem::path path;
    std::string name;  // as the manifest has it
    std::uint64_t size = 0;
    std::string sha256;  // empty: not compared
    bool is_input = false;
  };

  void read_input(const nlohmann::json& input, Report& report);

  bool found_ = false;
  std::vector<Recorded> recorded_;
};

}  // namespace lq::soundness

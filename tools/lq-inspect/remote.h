#pragma once
// A repository of the Hub, looked at without fetching it.

#include <filesystem>
#include <string>
#include <vector>

#include "common/stage/run_stage.h"

namespace lq::inspect {

/// A directory of the run's own, removed with it.
class ScratchDirectory {
 public:
  /// Throws OutputError.
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A directory that looks like the repository: configuration, chat templates and small tokenizer
/// files whole, weights as headers in files of their full size that take no room.
class RemoteModel {
 public:
  /// Whether an operand that is no path here may name a repository: `a/b`, `a/b@revision`,
  /// `hf://...`, or an http(s) address.
  static bool may_be(const std::string& operand);

  /// Throws ModelNotFoundError, AuthenticationError, NetworkError, ValidationError; UsageError for
  /// an operand that names none; Interrupted. Waits are told to `observer`. REQUIRES: signals ask
  /// for a stop (stage/stop.h), as one that ended the process would leave the directory behind.
  RemoteModel(const std::string& operand, stage::StageObserver& observer);

  const std::filesystem::path& directory() const { return scratch_.path(); }
  /// What was not read, for the report.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  ScratchDirectory scratch_;
  std::vector<std::string> notes_;
};

}  // namespace lq::inspect

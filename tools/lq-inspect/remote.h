#pragma once
// A repository of the Hub, looked at without fetching it.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lq::inspect {

/// A directory of the run's own that looks like the repository: configuration and small tokenizer
/// files whole, weights as headers in files of their full size that take no room. Removed at the
/// end.
class RemoteModel {
 public:
  /// Whether an operand that is no path here may name a repository: `a/b`, `a/b@revision`,
  /// `hf://...`, or an http(s) address.
  static bool may_be(const std::string& operand);

  /// Throws ModelNotFoundError, AuthenticationError, NetworkError, ValidationError; UsageError for
  /// an operand that names none.
  explicit RemoteModel(const std::string& operand);
  ~RemoteModel();
  RemoteModel(const RemoteModel&) = delete;
  RemoteModel& operator=(const RemoteModel&) = delete;

  const std::filesystem::path& directory() const { return directory_; }
  /// What was not read, for the report.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  std::filesystem::path directory_;
  std::vector<std::string> notes_;
};

}  // namespace lq::inspect

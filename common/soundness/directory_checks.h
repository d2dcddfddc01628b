#pragma once
// The checks of a model directory: its files, config.json against the tensors, what the tensors hold,
// the tokenizer.

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/model/checkpoint.h"
#include "common/soundness/declaration.h"
#include "common/soundness/linear_checks.h"
#include "common/soundness/pass.h"
#include "common/soundness/report.h"
#include "common/soundness/stored_model.h"
#include "common/soundness/verdicts.h"

namespace lq::soundness {

class DirectoryChecks {
 public:
  /// Everything that needs no values of tensors. Throws ModelNotFoundError where there is neither
  /// config.json nor any weights.
  DirectoryChecks(const std::filesystem::path& dir, Report& report);
  DirectoryChecks(const DirectoryChecks&) = delete;
  DirectoryChecks& operator=(const DirectoryChecks&) = delete;

  /// Of the weights; empty where they could not be opened.
  std::span<const std::filesystem::path> files() const;
  /// `jobs` are those of files().
  void add_segments(std::vector<FileJob>& jobs);
  void judge(Report& report) const;

  std::vector<RuntimeVerdict> verdicts(const Report& report) const;
  std::string format() const;
  std::string scheme() const;
  std::string architecture() const { return checkpoint_.config.architecture; }
  std::size_t n_tensors() const;

 private:
  void open_weights(Report& report);
  void compare_config_copy(Report& report) const;

  model::Checkpoint checkpoint_;
  bool has_config_ = false;
  Declaration declaration_;
  std::optional<StoredModel> stored_;
  std::optional<LinearChecks> linears_;
};

}  // namespace lq::soundness

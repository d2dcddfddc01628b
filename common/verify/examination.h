#pragma once
// The run of all checks over one or several results.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/verify/verdict.h"

namespace lq::verify {

struct ExaminationRequest {
  std::vector<std::filesystem::path> results;
  std::optional<std::filesystem::path> reference = {};
  std::optional<std::filesystem::path> calibration = {};  // needs a reference
  Gates gates = {};
  /// Behaviour is measured where this is there, with the threads and phases of all.
  std::optional<BehaviourRequest> behaviour = {};
  int n_threads = 1;
  /// Told what goes on next. May be empty.
  std::function<void(const std::string&)> phase = {};
};

/// One verdict for each result, in their order. What is wrong with a result is a finding; what is
/// wrong with the reference, the calibration or the text is thrown: ModelNotFoundError,
/// ValidationError, UnsupportedError (also of a sound result whose kind is not known).
std::vector<Verdict> examine(const ExaminationRequest& request);

}  // namespace lq::verify

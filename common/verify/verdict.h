#pragma once
// All that one run finds out about one result.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/base/finding.h"
#include "common/fidelity/comparison.h"
#include "common/soundness/soundness.h"
#include "common/verify/behaviour_run.h"
#include "common/verify/gates.h"

namespace lq::verify {

/// A prompt, and how both models go on from it.
struct Continuation {
  std::string prompt, reference, other;
};

struct Verdict {
  std::filesystem::path path;
  soundness::Soundness soundness = {};
  std::optional<fidelity::Comparison> comparison = {};  // with a reference
  std::optional<Behaviour> behaviour = {};              // where one was asked for
  std::vector<Continuation> continuations = {};         // texts of Behaviour::continuations
  base::Findings findings = {};                         // of all checks, faults first

  std::string name() const { return path.filename().string(); }
  std::size_t n_faults() const;
  bool is_good() const { return n_faults() == 0; }
  /// nullptr where no behaviour was compared.
  const Grade* grade() const;
};

/// Relative errors of matrices, of all elements together: |q - w| / |w|.
double relative_error(const fidelity::Comparison& comparison);

}  // namespace lq::verify

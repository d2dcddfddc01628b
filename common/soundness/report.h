#pragma once
// What the checks of one result say: findings, and what they mean for the runtimes.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/errors.h"
#include "common/base/finding.h"

namespace lq::soundness {

/// A runtime, or several that share their code: bits of a set.
enum Runtimes : std::uint8_t {
  kNoRuntime = 0,
  kVllmCpu = 1,
  kVllmGpu = 2,
  kVllm = kVllmCpu | kVllmGpu,
  kTransformers = 4,
  kDirectoryRuntimes = kVllm | kTransformers,
  kLlamaCpp = 8,
  kAllRuntimes = kDirectoryRuntimes | kLlamaCpp,
};

/// What a finding means for runtimes.
struct Effect {
  Runtimes runtimes;
  std::string why;
  bool loads = false;  // all the same, and the results are wrong
};

class Report {
 public:
  /// `refused_by`: the runtimes that do not load the model because of it.
  void fault(std::string check, std::string tensor, std::string what, std::string why,
             Runtimes refused_by = kNoRuntime);
  /// A fault that these runtimes do not notice: what they compute is wrong.
  void silent_fault(std::string check, std::string tensor, std::string what, std::string why,
                    Runtimes runtimes);
  void remark(std::string check, std::string tensor, std::string what, std::string why);
  /// No fault of the model, but a reason not to load it.
  void refusal(Runtimes runtimes, std::string why);

  /// An exception of a reader: a fault, or for UnsupportedError what unsupported() keeps.
  void error(std::string check, const base::QuantizationError& error,
             Runtimes refused_by = kAllRuntimes);
  /// The same of what `code` throws. Whether it threw nothing.
  template <class Code>
  bool attempt(std::string_view check, Runtimes refused_by, const Code& code) {
    try {
      code();
      return true;
    } catch (const base::QuantizationError& caught) {
      if (caught.exit_code() == base::ExitCode::kOutOfMemory) throw;
      error(std::string(check), caught, refused_by);
    }
    return false;
  }

  bool has_fault() const;
  bool has_fault(std::string_view check) const;
  /// Throws the first UnsupportedError that was met.
  void throw_unsupported() const;

  /// What was found, faults first. Where the same is said of many tensors, the first few stand for
  /// all, and the last of them says how many there are.
  base::Findings findings() const;
  const std::vector<Effect>& effects() const { return effects_; }

 private:
  base::Findings findings_;
  std::vector<Effect> effects_;
  std::vector<base::UnsupportedError> unsupported_;
};

}  // namespace lq::soundness

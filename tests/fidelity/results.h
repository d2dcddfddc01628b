#pragma once
// What is found of results of our own programs, made of the bundled model.

#include <fmt/format.h>
#include <map>
#include <string>
#include <vector>

#include "common/fidelity/configuration.h"
#include "common/fidelity/identity.h"
#include "tests/peers/quantized.h"

namespace lq::testing {

struct Found {
  base::Findings faults, remarks;
  fidelity::Comparison comparison;

  /// "tensor: what" of each fault, for messages.
  std::string text() const {
    std::string all;
    for (const base::Finding& fault : faults) {
      all += fmt::format("{}: {} ({}; {})\n", fault.tensor, fault.what, fault.check, fault.why);
    }
    return all;
  }
};

inline Found found_of(const std::filesystem::path& reference, const std::filesystem::path& result) {
  const fidelity::Models models(reference, result);
  Found found;
  base::Findings all = fidelity::configuration_findings(models);
  if (fidelity::has_equal_shapes(models)) {
    found.comparison = fidelity::compare(models.sides(nullptr), 2);
    for (const base::Finding& one : fidelity::identity_findings(models, found.comparison)) {
      all.push_back(one);
    }
  }
  for (base::Finding& one : all) {
    (one.weight == base::Weight::kFault ? found.faults : found.remarks).push_back(std::move(one));
  }
  return found;
}

/// Runs a quantizer on a model directory; the path that it printed.
inline std::filesystem::path made_by(const std::string& program,
                                     const std::vector<std::string>& options,
                                     const std::filesystem::path& model,
                                     const std::filesystem::path& output) {
  Command command{{tool(program), model.string(), "-qq", "-o", output.string()}, {}, {}};
  command.arguments.insert(command.arguments.end(), options.begin(), options.end());
  const Outcome outcome = run(command);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return output;
}

/// A calibration of the bundled model, made once for all tests of a program.
inline const std::filesystem::path& calibration_of_the_bundled_model() {
  static const ScratchDirectory scratch;
  static const std::filesystem::path path =
      made_by("lq-calibrate", {}, tiny_llama(), scratch.path() / "calibration");
  return path;
}

}  // namespace lq::testing

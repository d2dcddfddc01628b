// weight_errors REFERENCE RESULT [THREADS] [CALIBRATION]: how far the quantized tensors of a model
// are from the reference's: the extremes by number of bits, and what was found. One line of JSON
// with the time, and the speed beside that of copying as much memory on one thread.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/base/errors.h"
#include "common/fidelity/configuration.h"
#include "common/fidelity/identity.h"
#include "common/parallel/memory.h"
#include "common/stage/host.h"

namespace {

using namespace lq;  // NOLINT: a program of this one library

/// Processor seconds for a byte of one core's memory copy, out of its caches.
double copy_seconds_per_byte() {
  constexpr std::size_t kBytes = std::size_t{256} << 20;
  std::vector<char> from(kBytes, 1), to(kBytes, 2);
  double best = 1e9;
  for (int round = 0; round < 5; ++round) {
    const double begin = stage::cpu_seconds();
    std::memcpy(to.data(), from.data(), kBytes);
    best = std::min(best, stage::cpu_seconds() - begin);
    from[static_cast<std::size_t>(round)] = to[kBytes - 1];
  }
  return best / static_cast<double>(kBytes);
}

nlohmann::ordered_json extremes(const fidelity::Comparison& comparison) {
  nlohmann::ordered_json all = nlohmann::ordered_json::object();
  for (const fidelity::TensorError& error : comparison.tensors) {
    if (!error.storage.quantized() || !error.problem.empty()) continue;
    nlohmann::ordered_json& of = all[error.storage.name];
    if (of.is_null())
      of = {{"gain", {9.0, -9.0}},
            {"cosine", 9.0},
            {"mean_steps", 0.0},
            {"mean", 0.0},
            {"output_error", 0.0}};
    of["gain"][0] = std::min(of["gain"][0].get<double>(), error.gain());
    of["gain"][1] = std::max(of["gain"][1].get<double>(), error.gain());
    of["cosine"] = std::min(of["cosine"].get<double>(), error.cosine());
    of["mean_steps"] =
        std::max(of["mean_steps"].get<double>(), std::abs(error.mean_steps.value_or(0)));
    of["mean"] = std::max(of["mean"].get<double>(), std::abs(error.mean_error()));
    of["output_error"] = std::max(of["output_error"].get<double>(), error.output_error.value_or(0));
  }
  return all;
}

nlohmann::ordered_json measure(const fidelity::Models& models, int n_threads,
                               const calibration::CalibrationDirectory* calibration) {
  const auto begin = std::chrono::steady_clock::now();
  const double cpu = stage::cpu_seconds();
  const fidelity::Comparison comparison = compare(models.sides(calibration), n_threads);
  const double used = stage::cpu_seconds() - cpu;
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  double weights = 0;
  for (const fidelity::TensorError& error : comparison.tensors) weights += error.sums.n;
  nlohmann::ordered_json result = {{"extremes", extremes(comparison)}};
  result["peak_bytes"] = parallel::peak_rss();
  result["wall_s"] = wall.count();
  result["cpu_s"] = used;
  // What both sides are as float32, which is what goes through the sums.
  result["weights_per_s"] = weights / used;
  result["copied_bytes_per_s"] = 1 / copy_seconds_per_byte();
  base::Findings findings = fidelity::identity_findings(models, comparison);
  for (const base::Findings& more :
       {fidelity::configuration_findings(models), fidelity::outliers(comparison)}) {
    findings.insert(findings.end(), more.begin(), more.end());
  }
  for (const base::Finding& finding : findings) {
    result["findings"].push_back(
        fmt::format("{}{}: {}; {}", finding.weight == base::Weight::kFault ? "" : "(remark) ",
                    finding.tensor, finding.what, finding.why));
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: weight_errors REFERENCE RESULT [THREADS] [CALIBRATION]\n");
    return 2;
  }
  try {
    const fidelity::Models models(argv[1], argv[2]);
    std::optional<calibration::CalibrationDirectory> calibration;
    if (argc > 4) calibration.emplace(argv[4]);
    const int n_threads = argc > 3 ? std::atoi(argv[3]) : 1;
    fmt::print("{}\n", measure(models, n_threads, calibration ? &*calibration : nullptr).dump());
  } catch (const base::QuantizationError& error) {
    fmt::print(stderr, "{}: {}\n", error.what(), error.why());
    return 1;
  }
  return 0;
}

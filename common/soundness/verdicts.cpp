#include "common/soundness/verdicts.h"

#include <algorithm>
#include <array>

#include "common/hf/runtimes.h"

namespace lq::soundness {
namespace {

struct Name {
  Runtimes runtime;
  std::string_view name;
};
constexpr std::array kNames = {
    Name{kVllmCpu, "vLLM on a CPU"},
    Name{kVllmGpu, "vLLM on a GPU"},
    Name{kTransformers, "transformers"},
    Name{kLlamaCpp, "llama.cpp"},
};

/// What was found goes before what the scheme alone says.
void apply(const Report& report, Runtimes runtime, RuntimeVerdict& verdict) {
  const auto hits = [&](const Effect& effect, bool loads) {
    return (effect.runtimes & runtime) != 0 && effect.loads == loads;
  };
  const auto& effects = report.effects();
  const auto refusal =
      std::ranges::find_if(effects, [&](const Effect& effect) { return hits(effect, false); });
  if (refusal != effects.end()) {
    if (verdict.loads) verdict = {verdict.name, false, refusal->why};
    return;
  }
  const auto wrong =
      std::ranges::find_if(effects, [&](const Effect& effect) { return hits(effect, true); });
  if (wrong != effects.end() && verdict.loads) verdict.why = wrong->why;
}

}  // namespace

std::vector<RuntimeVerdict> directory_verdicts(const StoredModel* stored,
                                               const Declaration& declaration,
                                               const model::ModelConfig& config,
                                               const Report& report) {
  std::vector<RuntimeVerdict> verdicts;
  for (const Name& row : kNames) verdicts.push_back({std::string(row.name), true, ""});
  if (stored != nullptr && declaration.format != nullptr) {
    for (const hf::Verdict& of_scheme :
         hf::runtime_verdicts(*declaration.format, stored->facts, config)) {
      const auto verdict = std::ranges::find(verdicts, of_scheme.runtime, &RuntimeVerdict::name);
      if (verdict == verdicts.end()) continue;
      verdict->loads = of_scheme.loads;
      verdict->why = of_scheme.why;
    }
  }
  for (std::size_t i = 0; i < kNames.size(); ++i) apply(report, kNames[i].runtime, verdicts[i]);
  verdicts.back() = {verdicts.back().name, false, "it reads GGUF files only"};
  return verdicts;
}

std::vector<RuntimeVerdict> gguf_verdicts(const Report& report) {
  std::vector<RuntimeVerdict> verdicts;
  for (const Name& row : kNames) {
    RuntimeVerdict& verdict = verdicts.emplace_back();
    verdict.name = row.name;
    verdict.loads = row.runtime == kLlamaCpp;
    if (!verdict.loads) verdict.why = "it is for directories of safetensors; GGUF was not tried";
    apply(report, row.runtime, verdict);
  }
  return verdicts;
}

}  // namespace lq::soundness

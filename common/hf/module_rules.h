#pragma once
// Regular expressions that name modules, for configurations that runtimes read. They are matched from
// the start of a full module name. Runtimes that join q, k and v (gate and up) ask for the joined
// name, others for the members, so a rule names both.

#include <optional>
#include <string>
#include <vector>

#include "common/hf/quantization_facts.h"

namespace lq::hf {

/// Modules that are not of the common scheme, with the scheme that they have.
struct ModuleRule {
  std::string pattern;           // "model\.layers\.(?:0|5)\.mlp\.down_proj$"
  std::optional<Scheme> scheme;  // none: float
};

/// The rules of the modules that differ from facts.scheme, in the order of the modules. The output
/// matrix is left to the caller. Each hits the modules that it is for and no other: names are
/// escaped and complete.
std::vector<ModuleRule> override_rules(const QuantizationFacts& facts);

/// Rules without scheme for the linears outside the decoder: `.*mtp.*` for draft heads, the shortest
/// prefix that holds no quantized module for the others.
std::vector<std::string> other_linear_patterns(const QuantizationFacts& facts);

/// Draft heads are there, and no quantized module has "mtp" in its name.
bool has_draft_heads(const QuantizationFacts& facts);

/// The output matrix among the modules; nullptr when there is none.
const Module* output_module(const QuantizationFacts& facts);

}  // namespace lq::hf

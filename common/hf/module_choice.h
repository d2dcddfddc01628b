#pragma once
// Which linears of a model are quantized, and how: from what a user asked for and what the shapes
// and the format allow.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/hf/format.h"
#include "common/model/checkpoint.h"

namespace lq::hf {

/// A scheme of its own for the modules that a pattern is found in; what it does not say is as for
/// all others.
struct SchemeOverride {
  std::string pattern;  // regular expression, searched in module names
  std::optional<int> bits;
  std::optional<std::size_t> group_size;  // 0: whole rows
};

/// "REGEX=bits:8,group:64" as options have it; group:-1 are whole rows. Throws UsageError.
SchemeOverride parse_override(const std::string& text);

struct ModuleRequest {
  const Format* format = nullptr;
  int bits = 4;
  std::optional<std::size_t> group_size;  // none: the largest usual one that divides all columns
  bool symmetric = true;
  bool output_matrix = false;             // quantize lm_head too
  std::vector<std::string> skip;          // patterns of modules that stay float
  std::vector<SchemeOverride> overrides;  // the first match wins
};

struct ModuleChoice {
  std::vector<Module> modules;  // layer by layer, in the order of the family's table; lm_head last
  Scheme scheme;                // of all that have no other
  std::vector<std::string> notes;  // what was decided, and a user may want to know
};

/// Throws UsageError for a pattern that is none or finds nothing, and for lm_head where the
/// embeddings are tied; UnsupportedError for a group size that does not divide the columns of a
/// module, naming those that do, and for members of one joined matrix that differ.
ModuleChoice choose_modules(const model::Checkpoint& checkpoint, const ModuleRequest& request);

}  // namespace lq::hf

#pragma once
// What quantization_config of config.json tells runtimes: the format, and for each linear whether
// and how it is quantized. Keys of all three formats as their writers spell them, the older names
// among them.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/hf/format.h"
#include "common/model/model_config.h"
#include "common/soundness/report.h"

namespace lq::soundness {

/// Which linears a list or a pattern names.
class NameRule {
 public:
  virtual ~NameRule() = default;
  virtual bool hits(const std::string& module) const = 0;
};

struct SchemeRule {
  std::shared_ptr<const NameRule> names;
  std::string text;                  // as the file has it
  std::optional<hf::Scheme> scheme;  // none: stays float
};

struct Declaration {
  const hf::Format* format = nullptr;  // nullptr: plain weights, or nothing that is known
  bool is_known = true;                // false: a method or variant that cannot be judged
  hf::Scheme common;
  std::vector<SchemeRule> rules;    // the first that hits a linear decides
  bool lists_floats = false;        // there is a list of what stays float, not empty
  bool floats_need_a_rule = false;  // a linear that no rule names has to be quantized
  bool output = false;              // it is quantized without a rule
  bool desc_act = false;
  std::optional<bool> zero_point;  // AWQ: false means a symmetric grid

  /// What is declared of a linear; `is_output`: of the output matrix.
  std::optional<hf::Scheme> scheme_of(const std::string& module, bool is_output) const;
  /// The rule that names it; nullptr when there is none.
  const SchemeRule* rule_of(const std::string& module) const;
};

/// Faults and refusals go to `report`, as does the UnsupportedError of a method or of a variant
/// that is not known.
Declaration read_declaration(const model::ModelConfig& config, Report& report);

}  // namespace lq::soundness

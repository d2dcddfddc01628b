#pragma once
// The report as text and as JSON.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/lq-inspect/estimate.h"
#include "tools/lq-inspect/facts.h"

namespace lq::inspect {

struct Estimates {
  std::vector<Estimate> rows;
  Machine machine;
};

std::vector<std::string> text_report(const ModelFacts& facts, bool with_tensors,
                                     const std::optional<Estimates>& estimates);
nlohmann::ordered_json json_report(const ModelFacts& facts, bool with_tensors,
                                   const std::optional<Estimates>& estimates);

}  // namespace lq::inspect

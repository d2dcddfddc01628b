#pragma once
// README.md of the result.

#include <string>
#include <vector>

#include "common/quantize/module_report.h"
#include "tools/lq-quant-gptq/plan.h"

namespace lq::quant_gptq {

std::string card_text(const Job& job, const std::vector<quantize::ModuleReport>& reports);

}  // namespace lq::quant_gptq

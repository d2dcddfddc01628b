#pragma once
// README.md of the result.

#include <string>
#include <vector>

#include "common/quantizer/job.h"
#include "common/quantizer/module_report.h"

namespace lq::quantizer {

std::string card_text(const Job& job, const std::vector<ModuleReport>& reports);

}  // namespace lq::quantizer

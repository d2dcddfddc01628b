#pragma once
// The options of lq-calibrate on the command line.

#include "common/calibrate/options.h"
#include "common/cli/option_table.h"

namespace lq::calibrate {

void declare(cli::OptionTable& table, Options& options);

}  // namespace lq::calibrate

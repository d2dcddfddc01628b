#pragma once
// The options of lq-verify.

#include <cstdint>
#include <string>

#include "common/cli/option_table.h"
#include "common/stage/run_stage.h"
#include "common/verify/examination.h"

namespace lq::verify {

struct Options {
  std::string reference, calibration;
  std::string text, tokens, protocol = "lq", compute = "bf16";
  std::int64_t window = 0, stride = 0, max_windows = 0, continuation = 48;
  std::string save_reference;
  std::string max_perplexity_increase, max_kld, min_top1, max_tensor_error;
  std::string junit, html;

  bool asks_behaviour() const {
    return !text.empty() || !tokens.empty() || !max_perplexity_increase.empty() ||
           !max_kld.empty() || !min_top1.empty();
  }
};

void declare(cli::OptionTable& table, Options& options);

/// Throws UsageError for values and combinations that cannot be.
Gates gates_of(const Options& options);
void check(const Options& options);

/// Reads the text. Throws ModelNotFoundError for a file that cannot be opened.
ExaminationRequest request_of(const Options& options, const std::vector<std::string>& operands,
                              const stage::StageOptions& stage);

}  // namespace lq::verify

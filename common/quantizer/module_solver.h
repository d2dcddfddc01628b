#pragma once
// One linear at a time: its codes as a job asks for them, and a report of how that went.

#include <span>

#include "common/quantizer/job.h"
#include "common/quantizer/module_report.h"
#include "common/solve/solve.h"
#include "common/tensor/quantized_matrix.h"

namespace lq::quantizer {

/// Over the groups, of ranges that are clipped for plain rounding.
inline constexpr int kClippingPasses = 2;

class ModuleSolver {
 public:
  /// `job` is referred to.
  ModuleSolver(const Job& job, int n_threads) : job_(job), n_threads_(n_threads) {}

  /// Under H; where that cannot be factored, by rounding, which the report's note says. `importance`
  /// is H's diagonal, `read` gives the weights. REQUIRES: the module has a scheme.
  tensor::QuantizedMatrix solve(const hf::Module& module, const solve::FactoredGram& h,
                                std::span<const double> importance, const solve::ReadRows& read,
                                ModuleReport& report);
  /// To nearest; with `importance` empty all columns count the same.
  tensor::QuantizedMatrix round(const hf::Module& module, std::span<const double> importance,
                                const solve::ReadRows& read, ModuleReport& report);

  /// That were spent so far.
  double seconds() const { return seconds_; }

 private:
  const Job& job_;
  const int n_threads_;
  double seconds_ = 0;
};

ModuleReport report_of(const hf::Module& module);

/// What the job asks of linears of a scheme.
solve::Settings solve_settings(const Job& job, const hf::Scheme& scheme);

}  // namespace lq::quantizer

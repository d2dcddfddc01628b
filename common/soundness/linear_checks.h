#pragma once
// The contents of quantized linears: codes, scales, zero points, the group of each column.

#include <memory>
#include <utility>
#include <vector>

#include "common/soundness/declaration.h"
#include "common/soundness/pass.h"
#include "common/soundness/stored_model.h"
#include "common/soundness/tallies.h"
#include "common/tensor/tensor_source.h"

namespace lq::soundness {

/// Two steps around the pass: its segments, then the judgement.
class LinearChecks {
 public:
  /// All are referred to.
  LinearChecks(const StoredModel& stored, const Declaration& declaration,
               const tensor::TensorSource& source)
      : stored_(stored), declaration_(declaration), source_(source) {}

  /// `jobs` are those of the files of the checkpoint, in their order.
  void add_segments(std::vector<FileJob>& jobs);
  void judge(Report& report) const;

 private:
  struct Tallies {
    const QuantizedLinear* linear = nullptr;
    const CodeCounts* codes = nullptr;
    const CodeCounts* zeros = nullptr;
    const ValueTally* scales = nullptr;
    const NumberTally* groups = nullptr;
    const SpreadTally* spread = nullptr;
  };

  template <class Tally>
  const Tally* add(std::vector<FileJob>& jobs, const tensor::TensorInfo& tensor, std::uint64_t unit,
                   std::unique_ptr<Tally> tally);
  const CodeCounts* add_codes(std::vector<FileJob>& jobs, const tensor::TensorInfo& tensor,
                              int bits, std::uint64_t stride, std::uint64_t step);
  void add_spreads(std::vector<FileJob>& jobs);
  void judge_zeros(const Tallies& tallies, Report& report) const;
  void judge_groups(const Tallies& tallies, Report& report) const;
  void judge_convention(Report& report) const;
  void judge_order(Report& report) const;

  const StoredModel& stored_;
  const Declaration& declaration_;
  const tensor::TensorSource& source_;
  std::vector<std::unique_ptr<Check>> checks_;
  std::vector<Tallies> linears_;
  std::vector<std::pair<const tensor::TensorInfo*, const ValueTally*>> floats_;
};

}  // namespace lq::soundness

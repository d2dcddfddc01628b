#pragma once
// Judges of what was counted (tallies.h).

#include <string>

#include "common/soundness/report.h"
#include "common/soundness/tallies.h"
#include "common/tensor/tensor_source.h"

namespace lq::soundness {

/// A float tensor: NaN, infinite, magnitudes beyond all others.
void judge_floats(const std::string& name, const Magnitudes& values, Report& report);
/// Scales: the same, zeros and subnormals.
void judge_scales(const std::string& name, const Magnitudes& values, Report& report);
/// Codes at the ends of their range, or all the same.
void judge_codes(const std::string& name, const CodeCounts& codes, int max_code, Report& report);
/// A tensor of a GGUF.
void judge_blocks(const std::string& name, const BlockTally& blocks, Report& report);

}  // namespace lq::soundness

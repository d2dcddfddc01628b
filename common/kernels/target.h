#pragma once
// Which implementation of the kernels runs. All targets are in every build and the best one that
// the processor has is taken at run time; the variable LQ_SIMD=scalar|sse4|avx2|avx3 asks for
// another. Encoders give the same bytes on each of them.

#include <string_view>

namespace lq::kernels {

/// True when LQ_SIMD=scalar: kernels then run their plain reference, not a one-lane SIMD target.
/// Throws UsageError for a value of LQ_SIMD that is unknown or that this processor lacks; the
/// variable is read once, at the first call of any function here.
bool use_reference();

/// Name of the target that runs: "scalar", "SSE4", "AVX2", "AVX3", ...
/// Throws as use_reference().
std::string_view active_target();

/// Applies a choice as LQ_SIMD would; empty for the best target. Not safe while kernels run.
/// Throws UsageError.
void choose_target(std::string_view name);

}  // namespace lq::kernels

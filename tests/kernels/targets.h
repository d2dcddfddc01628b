#pragma once
// Runs a check on the plain reference and on every instruction set of this build that the processor
// has, and asserts that those were more than one.

#include <gtest/gtest.h>
#include <hwy/highway.h>
#include <hwy/targets.h>

#include "common/kernels/target.h"

namespace lq::testing {

/// `check` is called with no argument; its output on the reference comes first, then each target is
/// compared by the caller. Targets that only differ in name from a better one are run too.
template <class Check>
void on_every_target(Check check) {
  int n_targets = 0;
  bool avx2 = false;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
    SCOPED_TRACE(hwy::TargetName(target));
    check();
    ++n_targets;
    avx2 = avx2 || target == HWY_AVX2;
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  EXPECT_GT(n_targets, 1);
#if HWY_ARCH_X86_64
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) {
    EXPECT_TRUE(avx2);
  }
#endif
}

}  // namespace lq::testing

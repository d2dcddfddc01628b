#include "common/kernels/target.h"

#include <cstdint>
#include <cstdlib>
#include <hwy/highway.h>
#include <hwy/targets.h>
#include <mutex>
#include <string>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::kernels {
namespace {

struct Choice {
  std::string_view name;
  std::int64_t targets;  // bit of Highway's target; 0 is our own reference
};
constexpr Choice kChoices[] = {
    {"scalar", 0}, {"sse4", HWY_SSE4}, {"avx2", HWY_AVX2}, {"avx3", HWY_AVX3}};

bool reference = false;

void apply(std::string_view name) {
  hwy::DisableTargets(0);
  reference = false;
  if (name.empty()) return;
  for (const Choice& choice : kChoices) {
    if (choice.name != name) continue;
    reference = choice.targets == 0;
    if (reference) return;
    if ((hwy::SupportedTargets() & choice.targets & HWY_TARGETS) == 0) {
      throw base::UsageError("cannot use LQ_SIMD=" + std::string(name),
                             "this processor does not have these instructions",
                             "unset LQ_SIMD, or set it to scalar");
    }
    hwy::DisableTargets(~choice.targets);
    return;
  }
  throw base::UsageError("unknown value of LQ_SIMD: " + base::escape_controls(name),
                         "the choices are scalar, sse4, avx2 and avx3",
                         "unset LQ_SIMD to use the best that this processor has");
}

void apply_environment_once() {
  static std::once_flag once;
  std::call_once(once, [] {
    const char* const value = std::getenv("LQ_SIMD");
    apply(value == nullptr ? std::string_view() : value);
  });
}

}  // namespace

void choose_target(std::string_view name) {
  apply_environment_once();
  apply(name);
}

bool use_reference() {
  apply_environment_once();
  return reference;
}

std::string_view active_target() {
  if (use_reference()) return "scalar";
  // Highway sorts its targets so that a better one has a lower bit.
  const std::int64_t usable = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(usable & -usable);
}

}  // namespace lq::kernels

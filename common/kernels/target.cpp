#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/kernels/target.cpp"
#include <cstdint>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lq::kernels::HWY_NAMESPACE {

std::int64_t running_target() { return HWY_TARGET; }

}  // namespace lq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cstdlib>
#include <hwy/targets.h>
#include <mutex>
#include <string>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/kernels/target.h"

namespace lq::kernels {

HWY_EXPORT(running_target);

namespace {

struct Choice {
  std::string_view name;
  std::int64_t targets;  // bit of Highway's target; 0 is our own reference
};
constexpr Choice kChoices[] = {
    {"scalar", 0}, {"sse4", HWY_SSE4}, {"avx2", HWY_AVX2}, {"avx3", HWY_AVX3}};

bool reference = false;

// hwy::SupportedTargets() resets the dispatcher to the best target, past what DisableTargets()
// forbade; so every call of it must be followed by this.
void dispatch_to_allowed() {
  const std::int64_t allowed = hwy::SupportedTargets();
  hwy::GetChosenTarget().Update(allowed);
}

void apply(std::string_view name) {
  const Choice* chosen = nullptr;
  for (const Choice& choice : kChoices) {
    if (choice.name == name) chosen = &choice;
  }
  if (chosen == nullptr && !name.empty()) {
    throw base::UsageError("unknown value of LQ_SIMD: " + base::escape_controls(name),
                           "the choices are scalar, sse4, avx2 and avx3",
                           "unset LQ_SIMD to use the best that this processor has");
  }
  hwy::DisableTargets(0);
  reference = chosen != nullptr && chosen->targets == 0;
  if (chosen != nullptr && !reference) {
    if ((hwy::SupportedTargets() & chosen->targets & HWY_TARGETS) == 0) {
      dispatch_to_allowed();
      throw base::UsageError("cannot use LQ_SIMD=" + std::string(name),
                             "this processor does not have these instructions",
                             "unset LQ_SIMD, or set it to scalar");
    }
    hwy::DisableTargets(~chosen->targets);
  }
  dispatch_to_allowed();
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
  // Asked of dispatched code, so that the answer is what runs and not what is allowed.
  return hwy::TargetName(HWY_DYNAMIC_DISPATCH(running_target)());
}

}  // namespace lq::kernels
#endif  // HWY_ONCE

#pragma once
// An observer for a run's threads: passes calls on one at a time.

#include <mutex>

#include "common/stage/run_stage.h"

namespace lq::stage {

class SerialObserver final : public StageObserver {
 public:
  explicit SerialObserver(StageObserver& observer) : observer_(observer) {}

  void planned(const Plan& plan, std::size_t units_kept) override {
    const std::lock_guard lock(mutex_);
    observer_.planned(plan, units_kept);
  }
  void message(const std::string& text) override {
    const std::lock_guard lock(mutex_);
    observer_.message(text);
  }
  void warning(const std::string& what, const std::string& why) override {
    const std::lock_guard lock(mutex_);
    observer_.warning(what, why);
  }
  void detail(const std::string& text) override {
    const std::lock_guard lock(mutex_);
    observer_.detail(text);
  }
  void advanced(std::uint64_t amount) override {
    const std::lock_guard lock(mutex_);
    observer_.advanced(amount);
  }
  void unit_done(const Plan& plan, std::size_t unit, double seconds) override {
    const std::lock_guard lock(mutex_);
    observer_.unit_done(plan, unit, seconds);
  }
  void finished(const Plan& plan, const StageReport& report) override {
    const std::lock_guard lock(mutex_);
    observer_.finished(plan, report);
  }

 private:
  StageObserver& observer_;
  std::mutex mutex_;
};

}  // namespace lq::stage

#pragma once
// Waiting for something that can be observed, in place of a time in which it should have happened.

#include <chrono>
#include <functional>
#include <thread>

namespace lq::testing {

/// Polls until `holds`; false after minutes, which no machine needs, however slow and busy.
inline bool wait_until(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(5);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace lq::testing

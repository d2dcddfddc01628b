#pragma once
// A run of the toy in a process of its own, which can be killed. The child is this test program
// again, told by its environment what to do: a plain fork would inherit the thread pools of the
// parent.

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <signal.h>
#include <string>
#include <sys/types.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace lq::stage::testing {

/// `settings` are NAME=VALUE; child_test.cpp lists the names.
inline pid_t start_child(const std::string& output, std::vector<std::string> settings = {}) {
  settings.push_back("LQ_TOY_OUTPUT=" + output);
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  for (std::string& setting : settings) ::putenv(setting.data());
  ::execl("/proc/self/exe", "test_stage", "--gtest_filter=Child.RunsTheToyAsItsEnvironmentSays",
          "--gtest_brief=1", nullptr);
  ::_exit(127);
}

/// The exit code, or 128 + signal.
inline int wait_for(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Whether it has ended; it is left to wait_for().
inline bool has_ended(pid_t pid) {
  siginfo_t info = {};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

/// Whether a signal was sent to it that none of its threads has taken yet.
inline bool is_pending(pid_t pid, int signal) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("ShdPnd:")) continue;
    return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1) != 0;
  }
  return false;
}

inline void sleep_ms(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

}  // namespace lq::stage::testing

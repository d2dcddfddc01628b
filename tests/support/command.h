#pragma once
// Running a program as a user would: what it printed and how it ended.

#include <filesystem>
#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace lq::testing {

struct Outcome {
  int exit_code = -1;  // 128 + signal when a signal ended it
  std::string out, err;
};

struct Command {
  std::vector<std::string> arguments;              // the program first
  std::map<std::string, std::string> environment;  // set over the test's own
  std::filesystem::path directory;                 // empty: the test's own
};

/// Waits for the end.
Outcome run(const Command& command);

/// A program under way, its output thrown away. Killed when it goes out of scope.
class RunningCommand {
 public:
  explicit RunningCommand(const Command& command);
  ~RunningCommand();
  RunningCommand(const RunningCommand&) = delete;
  RunningCommand& operator=(const RunningCommand&) = delete;

  void signal(int number);
  bool ended();  // without waiting
  int wait();    // exit code as in Outcome

 private:
  pid_t pid_ = -1;
  int status_ = 0;
  bool reaped_ = false;
};

/// A program of this build: tool("lq-quant-gguf").
std::string tool(const std::string& name);

}  // namespace lq::testing

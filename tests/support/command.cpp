#include "tests/support/command.h"

#include <cstdlib>
#include <fcntl.h>
#include <signal.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/scratch.h"

namespace lq::testing {
namespace {

int exit_code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

pid_t start(const Command& command, const std::string& out, const std::string& err) {
  std::vector<char*> arguments;
  for (const std::string& argument : command.arguments) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid > 0) return pid;
  // A test program that was started in the background would pass on that it ignores them.
  for (const int number : {SIGINT, SIGHUP, SIGQUIT}) ::signal(number, SIG_DFL);
  for (const auto& [name, value] : command.environment) ::setenv(name.c_str(), value.c_str(), 1);
  const int to_out = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int to_err = ::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const bool moved = command.directory.empty() || ::chdir(command.directory.c_str()) == 0;
  if (to_out < 0 || to_err < 0 || !moved) ::_exit(127);
  ::dup2(to_out, STDOUT_FILENO);
  ::dup2(to_err, STDERR_FILENO);
  ::execvp(arguments.front(), arguments.data());
  ::_exit(127);
}

}  // namespace

Outcome run(const Command& command) {
  const ScratchDirectory scratch;
  const std::string out = scratch.path() / "out", err = scratch.path() / "err";
  int status = 0;
  ::waitpid(start(command, out, err), &status, 0);
  return {exit_code_of(status), read_file(out), read_file(err)};
}

RunningCommand::RunningCommand(const Command& command)
    : pid_(start(command, "/dev/null", "/dev/null")) {}

RunningCommand::~RunningCommand() {
  if (reaped_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, &status_, 0);
}

void RunningCommand::signal(int number) { ::kill(pid_, number); }

bool RunningCommand::ended() {
  if (!reaped_) reaped_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
  return reaped_;
}

int RunningCommand::wait() {
  if (!reaped_) ::waitpid(pid_, &status_, 0);
  reaped_ = true;
  return exit_code_of(status_);
}

std::string tool(const std::string& name) { return std::string(LQ_BIN) + "/" + name; }

}  // namespace lq::testing

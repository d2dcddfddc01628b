#include "tests/support/python_server.h"

#include <csignal>
#include <fcntl.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace lq::testing {

using nlohmann::json;

PythonServer::~PythonServer() {
  if (pid_ < 0) return;
  ::close(to_server_);
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

json PythonServer::start(const std::string& script, const std::vector<std::string>& arguments) {
  int in[2], out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) {
    throw std::runtime_error("no pipe for the server");
  }
  std::vector<std::string> words = {"python3", "-B", LQ_TEST_DATA "/../support/hub/" + script};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(in[0], STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::execvp(argv.front(), argv.data());
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  to_server_ = in[1];
  std::string line;
  for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';) line += c;
  ::close(out[0]);
  json hello = json::parse(line, nullptr, false);
  if (!hello.is_object()) throw std::runtime_error(script + " did not start: " + line);
  return hello;
}

}  // namespace lq::testing

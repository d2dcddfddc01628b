#pragma once
// A server of the tests, written in Python: it prints one line of JSON when it listens, and ends
// when its standard input does.

#include <nlohmann/json.hpp>
#include <string>
#include <sys/types.h>
#include <vector>

namespace lq::testing {

class PythonServer {
 public:
  PythonServer() = default;
  ~PythonServer();
  PythonServer(const PythonServer&) = delete;
  PythonServer& operator=(const PythonServer&) = delete;

  /// Starts a script of tests/support/hub/ and returns what it prints.
  nlohmann::json start(const std::string& script, const std::vector<std::string>& arguments);

 private:
  pid_t pid_ = -1;
  int to_server_ = -1;
};

}  // namespace lq::testing

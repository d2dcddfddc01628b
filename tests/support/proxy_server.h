#pragma once
// A proxy on this machine (tests/support/hub/proxy.py), and what it was asked for.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/python_server.h"
#include "tests/support/scratch.h"

namespace lq::testing {

class ProxyServer {
 public:
  /// Starts it. `user`, "name:password" where not empty, has to be sent.
  explicit ProxyServer(const std::string& user = "");

  /// host:port
  const std::string& address() const { return address_; }
  /// {"method", "target", "passed"} of each request so far.
  std::vector<nlohmann::json> requests() const;

 private:
  ScratchDirectory scratch_;
  std::string address_;
  PythonServer server_;
};

}  // namespace lq::testing

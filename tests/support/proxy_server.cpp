#include "tests/support/proxy_server.h"

#include <sstream>

namespace lq::testing {

using nlohmann::json;

ProxyServer::ProxyServer(const std::string& user) {
  std::vector<std::string> arguments = {scratch_.path()};
  if (!user.empty()) arguments.insert(arguments.end(), {"--user", user});
  address_ = server_.start("proxy.py", arguments)["address"];
}

std::vector<json> ProxyServer::requests() const {
  std::vector<json> all;
  std::istringstream lines(read_file(scratch_.path() / "proxied.jsonl"));
  for (std::string line; std::getline(lines, line);) all.push_back(json::parse(line));
  return all;
}

}  // namespace lq::testing

#pragma once
// lq-fetch as the tests run it: against a server of their own, with a home of their own.

#include "tests/support/command.h"
#include "tests/support/hub_server.h"
#include "tests/support/scratch.h"

namespace lq::testing {

using Files = std::map<std::string, std::string>;

class FetchTest : public ::testing::Test {
 protected:
  Command command(std::vector<std::string> arguments,
                  std::map<std::string, std::string> environment = {}) const {
    Command command{{tool("lq-fetch")}, {}, scratch_.path()};
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    command.environment = {{"HF_ENDPOINT", hub_.endpoint()},
                           {"HF_HOME", (scratch_.path() / "home").string()},
                           {"HOME", scratch_.path().string()},
                           {"XDG_CONFIG_DIRS", "/nonexistent"},
                           {"no_proxy", "127.0.0.1"}};
    for (const char* const name :
         {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN_PATH",
          "TRANSFORMERS_OFFLINE", "SSL_CERT_FILE", "http_proxy", "HTTP_PROXY", "https_proxy",
          "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "NO_PROXY"}) {
      command.environment[name] = "";
    }
    for (const auto& [name, value] : environment) command.environment[name] = value;
    return command;
  }
  Outcome fetch(std::vector<std::string> arguments,
                std::map<std::string, std::string> environment = {}) const {
    return run(command(std::move(arguments), std::move(environment)));
  }

  std::filesystem::path cache() const { return scratch_.path() / "home/hub"; }
  std::filesystem::path snapshot(const std::string& folder) const {
    return cache() / folder / "snapshots" / kCommit;
  }

  /// All files below a directory by relative path, links followed; our own notes left out.
  static Files files_in(const std::filesystem::path& directory) {
    Files files;
    if (!std::filesystem::exists(directory)) return files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      const std::string name = entry.path().lexically_relative(directory).string();
      if (entry.is_directory() || name.starts_with(".cache") || name == "lq-manifest.json") {
        continue;
      }
      files[name] = read_file(entry.path());
    }
    return files;
  }

  /// Of large files, which the storage host sends.
  std::size_t storage_bytes() const {
    std::size_t bytes = 0;
    for (const nlohmann::json& request : hub_.requests()) {
      if (request["host"] == "storage") bytes += request["bytes"].get<std::size_t>();
    }
    return bytes;
  }

  HubServer hub_;
  ScratchDirectory scratch_;
};

}  // namespace lq::testing

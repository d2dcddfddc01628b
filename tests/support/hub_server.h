#pragma once
// A Hub on this machine: tests/support/hub/hub_server.py with repositories of the test's own, and
// what it was asked for.

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/command.h"
#include "tests/support/python_server.h"
#include "tests/support/scratch.h"

namespace lq::testing {

inline constexpr const char* kCommit = "1111111111111111111111111111111111111111";
inline constexpr const char* kOtherCommit = "2222222222222222222222222222222222222222";

/// Bytes that look random and are the same in every run.
std::string noise(std::size_t n, unsigned seed = 1);
/// A file with exactly these tensors' bytes: enough for a reader of headers.
std::string small_safetensors(std::size_t n_bytes, unsigned seed = 1);

class HubServer {
 public:
  HubServer();

  /// Files of kCommit, and settings merged over the usual ones (see hub_repos.py).
  void add(const std::string& id, const std::map<std::string, std::string>& files,
           const nlohmann::json& settings = nlohmann::json::object());
  /// A model: config, tokenizer, `shards` weights of `shard_bytes` and their index.
  std::map<std::string, std::string> add_model(
      const std::string& id, int shards, std::size_t shard_bytes,
      const nlohmann::json& settings = nlohmann::json::object());
  /// Rules of faults.json (see hub_faults.py); they hold from the next request on.
  void faults(const nlohmann::json& rules) const;
  /// With TLS and a certificate of its own, which `certificate` names. REQUIRES: before start().
  void use_tls();
  /// So many entries on a page of a list. REQUIRES: before start().
  void use_page_size(int entries) { page_size_ = entries; }
  /// As a mirror has it: the Hub's addresses begin with this path ("/mirror"). REQUIRES: before
  /// start().
  void use_prefix(const std::string& path) { prefix_ = path; }
  void start();

  const std::string& endpoint() const { return endpoint_; }
  std::string certificate() const { return root() / "cert.pem"; }
  std::filesystem::path root() const { return scratch_.path() / "hub"; }
  /// Every request so far, in order, those under way waited for.
  std::vector<nlohmann::json> requests() const;
  /// The same without waiting for those under way.
  std::vector<nlohmann::json> finished_requests() const;
  void forget_requests() const;

 private:
  void wait_until_idle() const;

  ScratchDirectory scratch_;
  std::string endpoint_, prefix_;
  bool tls_ = false;
  int page_size_ = 0;  // 0 = the server's own
  PythonServer server_;
};

}  // namespace lq::testing

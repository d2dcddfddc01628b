#include "tests/support/hub_server.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <random>
#include <sstream>
#include <stdexcept>

namespace lq::testing {

namespace fs = std::filesystem;
using nlohmann::json;

std::string noise(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::string bytes(n, '\0');
  for (std::size_t i = 0; i < n; i += 4) {
    const auto word = static_cast<std::uint32_t>(random());
    std::memcpy(bytes.data() + i, &word, std::min<std::size_t>(4, n - i));
  }
  return bytes;
}

std::string small_safetensors(std::size_t n_bytes, unsigned seed) {
  const json header = {{"weight" + std::to_string(seed),
                        {{"dtype", "U8"}, {"shape", {n_bytes}}, {"data_offsets", {0, n_bytes}}}}};
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  return file + text + noise(n_bytes, seed);
}

HubServer::HubServer() { fs::create_directories(root()); }

void HubServer::add(const std::string& id, const std::map<std::string, std::string>& files,
                    const json& settings) {
  for (const auto& [path, bytes] : files) {
    scratch_.write("hub/" + id + "/files/" + path, bytes);
  }
  json repo = {{"commits", {{kCommit, "files"}}}, {"lfs_threshold", 100'000}};
  repo.merge_patch(settings);
  scratch_.write("hub/" + id + "/repo.json", repo.dump());
}

std::map<std::string, std::string> HubServer::add_model(const std::string& id, int shards,
                                                        std::size_t shard_bytes,
                                                        const json& settings) {
  std::map<std::string, std::string> files = {{"config.json", R"({"model_type":"llama"})"},
                                              {"tokenizer.json", noise(30'000, 99)},
                                              {"README.md", "# A model\n"},
                                              {"pytorch_model.bin", "pickle"}};
  json map = json::object();
  for (int i = 1; i <= shards; ++i) {
    const std::string name = shards == 1
                                 ? "model.safetensors"
                                 : fmt::format("model-{:05}-of-{:05}.safetensors", i, shards);
    files[name] = small_safetensors(shard_bytes, static_cast<unsigned>(i));
    map["weight" + std::to_string(i)] = name;
  }
  if (shards > 1) {
    files["model.safetensors.index.json"] =
        json({{"metadata", json::object()}, {"weight_map", map}}).dump();
  }
  add(id, files, settings);
  files.erase("pytorch_model.bin");  // never chosen
  return files;
}

void HubServer::faults(const json& rules) const {
  const fs::path temporary = scratch_.write("hub/faults.new", rules.dump());
  fs::rename(temporary, root() / "faults.json");
}

void HubServer::use_tls() {
  tls_ = true;
  const Outcome made =
      run({{"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
            "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
            root() / "key.pem", "-out", certificate()},
           {},
           {}});
  if (made.exit_code != 0) throw std::runtime_error("openssl: " + made.err);
}

void HubServer::start() {
  std::vector<std::string> arguments = {root()};
  if (tls_) arguments.insert(arguments.end(), {"--tls", certificate(), root() / "key.pem"});
  if (page_size_ > 0) {
    arguments.insert(arguments.end(), {"--page-size", std::to_string(page_size_)});
  }
  if (!prefix_.empty()) arguments.insert(arguments.end(), {"--prefix", prefix_});
  endpoint_ = server_.start("hub_server.py", arguments)["hub"];
}

/// A client may see the last byte before the server writes down that it was sent.
void HubServer::wait_until_idle() const {
  run({{"curl", "-sk", "--noproxy", "*", endpoint_ + "/-/idle"}, {}, {}});
}

std::vector<json> HubServer::requests() const {
  wait_until_idle();
  return finished_requests();
}

std::vector<json> HubServer::finished_requests() const {
  std::vector<json> all;
  std::string text = read_file(root() / "requests.jsonl");
  text.resize(text.rfind('\n') + 1);  // a line that is being written is not finished
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) all.push_back(json::parse(line));
  std::ranges::sort(all, {}, [](const json& request) { return request["n"].get<int>(); });
  return all;
}

void HubServer::forget_requests() const {
  wait_until_idle();
  scratch_.write("hub/requests.jsonl", "");
}

}  // namespace lq::testing

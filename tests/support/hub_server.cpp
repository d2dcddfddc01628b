#include "tests/support/hub_server.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <random>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

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

HubServer::~HubServer() {
  if (pid_ < 0) return;
  ::close(to_server_);
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

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
  int in[2], out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) {
    throw std::runtime_error("no pipe for the server");
  }
  const std::string script = LQ_TEST_DATA "/../support/hub/hub_server.py";
  std::vector<std::string> arguments = {"python3", "-B", script, root()};
  if (tls_) arguments.insert(arguments.end(), {"--tls", certificate(), root() / "key.pem"});
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
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
  const json hello = json::parse(line, nullptr, false);
  if (!hello.is_object()) throw std::runtime_error("the server did not start: " + line);
  endpoint_ = hello["hub"];
}

/// A client may see the last byte before the server writes down that it was sent.
void HubServer::wait_until_idle() const { run({{"curl", "-sk", endpoint_ + "/-/idle"}, {}, {}}); }

std::vector<json> HubServer::requests() const {
  wait_until_idle();
  std::vector<json> all;
  std::istringstream lines(read_file(root() / "requests.jsonl"));
  for (std::string line; std::getline(lines, line);) all.push_back(json::parse(line));
  std::ranges::sort(all, {}, [](const json& request) { return request["n"].get<int>(); });
  return all;
}

void HubServer::forget_requests() const {
  wait_until_idle();
  scratch_.write("hub/requests.jsonl", "");
}

}  // namespace lq::testing

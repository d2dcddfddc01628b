#include "tests/support/llama_peer.h"

#include <sstream>

namespace lq::testing {

std::string llama_peer(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), peer_path("LLAMA_PEER"));
  const Outcome outcome = run({arguments, {}, {}});
  if (outcome.exit_code != 0) {
    ADD_FAILURE() << "llama-peer " << arguments.at(1) << " ended with " << outcome.exit_code << ": "
                  << outcome.err;
  }
  return outcome.out;
}

std::vector<nlohmann::json> llama_peer_json(std::vector<std::string> arguments) {
  std::istringstream lines(llama_peer(std::move(arguments)));
  std::vector<nlohmann::json> values;
  for (std::string line; std::getline(lines, line);) values.push_back(nlohmann::json::parse(line));
  return values;
}

std::vector<std::pair<std::string, std::string>> tensor_types(const std::filesystem::path& gguf) {
  std::istringstream lines(llama_peer({"info", gguf.string()}));
  std::vector<std::pair<std::string, std::string>> types;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string kind, name, type;
    words >> kind >> name >> type;
    if (kind == "tensor") types.emplace_back(name, type);
  }
  return types;
}

std::vector<std::pair<std::string, std::string>> planned_types(const std::filesystem::path& source,
                                                               const std::string& file_type,
                                                               const std::string& importance) {
  std::istringstream lines(
      llama_peer({"types", source.string(), "unused.gguf", file_type, importance}));
  std::vector<std::pair<std::string, std::string>> types;
  for (std::string name, type; lines >> name >> type;) types.emplace_back(name, type);
  return types;
}

}  // namespace lq::testing

#pragma once
// The front matter of README.md, where a repository states licence, ancestry and tags:
//
//   ---
//   license: apache-2.0
//   base_model: org/name      (or a list)
//   tags: [a, b]
//   ---

#include <filesystem>
#include <string>
#include <vector>

namespace lq::model {

struct ModelCard {
  std::string name, license, license_name, license_link;
  std::vector<std::string> base_models;  // "org/name"
  std::vector<std::string> tags, languages, datasets;
};

/// Empty without README.md or front matter. The card is decoration: one that is no valid YAML
/// counts as absent.
ModelCard read_model_card(const std::filesystem::path& dir);

}  // namespace lq::model

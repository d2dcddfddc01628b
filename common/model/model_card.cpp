#include "common/model/model_card.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <system_error>
#include <yaml-cpp/yaml.h>

#include "common/base/errors.h"
#include "common/io/input_file.h"

namespace lq::model {
namespace {

constexpr std::uint64_t kMaxReadmeBytes = std::uint64_t{4} << 20;
constexpr std::size_t kMaxFrontMatter = std::size_t{256} << 10;

/// The text between the first two lines of three dashes.
std::optional<std::string> front_matter(const std::string& readme) {
  const std::string_view text(readme);
  const std::size_t begin = text.starts_with("---\n") ? 4 : text.starts_with("---\r\n") ? 5 : 0;
  if (begin == 0) return std::nullopt;
  const std::size_t end = text.find("\n---", begin - 1);
  if (end == text.npos || end - begin > kMaxFrontMatter) return std::nullopt;
  return std::string(text.substr(begin, end + 1 - begin));
}

std::string scalar(const YAML::Node& map, const char* key) {
  const YAML::Node node = map[key];
  if (node && node.IsSequence() && node.size() > 0 && node[0].IsScalar()) return node[0].Scalar();
  return node && node.IsScalar() ? node.Scalar() : std::string();
}

void append(const YAML::Node& map, const char* key, std::vector<std::string>& list) {
  const YAML::Node node = map[key];
  if (!node) return;
  const auto keep = [&](const YAML::Node& value) {
    if (!value.IsScalar() || value.Scalar().empty()) return;
    if (std::ranges::count(list, value.Scalar()) == 0) list.push_back(value.Scalar());
  };
  if (node.IsSequence()) {
    for (const YAML::Node& value : node) keep(value);
  } else {
    keep(node);
  }
}

ModelCard parse_card(const std::string& yaml) {
  ModelCard card;
  const YAML::Node map = YAML::Load(yaml);
  if (!map.IsMap()) return card;
  card.name = scalar(map, "model_name");
  card.license = scalar(map, "license");
  card.license_name = scalar(map, "license_name");
  card.license_link = scalar(map, "license_link");
  append(map, "base_model", card.base_models);
  append(map, "tags", card.tags);
  append(map, "pipeline_tag", card.tags);
  append(map, "language", card.languages);
  append(map, "languages", card.languages);
  append(map, "datasets", card.datasets);
  return card;
}

}  // namespace

ModelCard read_model_card(const std::filesystem::path& dir) {
  const std::filesystem::path file = dir / "README.md";
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) return {};
  if (std::filesystem::file_size(file, ignored) > kMaxReadmeBytes || ignored) return {};
  try {
    const std::optional<std::string> yaml = front_matter(io::read_text_file(file));
    return yaml ? parse_card(*yaml) : ModelCard{};
  } catch (const YAML::Exception&) {
    return {};
  } catch (const base::QuantizationError&) {
    return {};
  }
}

}  // namespace lq::model

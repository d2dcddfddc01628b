#include "tools/lq-inspect/diff.h"

#include <fmt/format.h>
#include <map>

#include "common/base/text.h"

namespace lq::inspect {
namespace {

constexpr std::size_t kShownValue = 60;

std::string shown(const nlohmann::ordered_json& value) {
  // Texts of a GGUF file need not be UTF-8.
  std::string text = value.is_string()
                         ? value.get<std::string>()
                         : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text = base::escape_controls(text);
  if (text.size() > kShownValue) text = text.substr(0, kShownValue) + "...";
  return text;
}

std::string shape_of(const TensorFacts& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.shape, ", "));
}

/// Adds what differs between two maps of values; `what` labels the rows.
void compare_values(const std::map<std::string, nlohmann::ordered_json>& left,
                    const std::map<std::string, nlohmann::ordered_json>& right,
                    std::vector<Difference>& found) {
  for (const auto& [key, value] : left) {
    const auto other = right.find(key);
    if (other == right.end()) {
      found.push_back({"metadata", key, shown(value), "-"});
    } else if (other->second != value) {
      found.push_back({"metadata", key, shown(value), shown(other->second)});
    }
  }
  for (const auto& [key, value] : right) {
    if (!left.contains(key)) found.push_back({"metadata", key, "-", shown(value)});
  }
}

std::map<std::string, nlohmann::ordered_json> comparable(const ModelFacts& facts, bool all) {
  std::map<std::string, nlohmann::ordered_json> values;
  if (all) {
    for (const auto& [key, value] : facts.metadata.items()) values[key] = value;
    values["architecture"] = facts.architecture;
  } else {
    for (const Fact& fact : facts.hyperparameters) values[fact.key] = fact.value;
  }
  return values;
}

void compare_tensors(const ModelFacts& left, const ModelFacts& right,
                     std::vector<Difference>& found) {
  std::map<std::string, const TensorFacts*> others;
  for (const TensorFacts& tensor : right.tensors) others[tensor.name] = &tensor;
  for (const TensorFacts& tensor : left.tensors) {
    const auto other = others.find(tensor.name);
    if (other == others.end()) {
      found.push_back({"tensor", tensor.name, shape_of(tensor), "-"});
      continue;
    }
    if (tensor.shape != other->second->shape) {
      found.push_back({"shape", tensor.name, shape_of(tensor), shape_of(*other->second)});
    }
    if (tensor.type != other->second->type) {
      found.push_back({"type", tensor.name, tensor.type, other->second->type});
    }
    others.erase(other);
  }
  for (const TensorFacts& tensor : right.tensors) {
    if (others.contains(tensor.name))
      found.push_back({"tensor", tensor.name, "-", shape_of(tensor)});
  }
}

/// "Hugging Face directory (BF16 57)"
std::string stored_as(const ModelFacts& facts) {
  std::string types;
  for (const TypeShare& share : type_shares(facts)) {
    types += fmt::format("{}{} {}", types.empty() ? "" : ", ", share.type, share.n_tensors);
  }
  return fmt::format("{} ({})", storage_row(facts.storage).label, types);
}

}  // namespace

std::vector<Difference> differences(const ModelFacts& left, const ModelFacts& right) {
  std::vector<Difference> found;
  const bool same_storage = left.storage == right.storage;
  compare_values(comparable(left, same_storage), comparable(right, same_storage), found);
  if (left.parameters != right.parameters) {
    found.push_back({"metadata", "parameters", std::to_string(left.parameters),
                     std::to_string(right.parameters)});
  }
  if (same_storage) {
    compare_tensors(left, right, found);
  } else {
    // Names and transformed shapes differ between the two, so only what is stored as what is told.
    found.push_back({"stored as", "tensors", stored_as(left), stored_as(right)});
  }
  return found;
}

std::vector<std::string> text_of(const std::vector<Difference>& differences) {
  if (differences.empty()) return {"no differences in metadata, shapes and types"};
  std::vector<std::string> lines;
  for (const Difference& row : differences) {
    lines.push_back(fmt::format("{:<9} {:<44} {} -> {}", row.what, base::escape_controls(row.name),
                                row.left, row.right));
  }
  return lines;
}

nlohmann::ordered_json json_of(const std::vector<Difference>& differences) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Difference& row : differences) {
    rows.push_back(
        {{"what", row.what}, {"name", row.name}, {"left", row.left}, {"right", row.right}});
  }
  return rows;
}

}  // namespace lq::inspect

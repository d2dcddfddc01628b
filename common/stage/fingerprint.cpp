#include "common/stage/fingerprint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <vector>

#include "common/base/text.h"
#include "common/io/digest.h"
#include "common/stage/record.h"

namespace lq::stage {
namespace {

// One entry per leaf, nested names joined by dots. A list is a leaf.
void flatten(const nlohmann::json& value, const std::string& name,
             std::map<std::string, std::string>& into) {
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) {
      flatten(inner, name.empty() ? key : name + "." + key, into);
    }
  } else if (!value.is_null()) {
    // An option's text need not be UTF-8, which the plain dump() throws at.
    into[name] = value.is_string()
                     ? value.get<std::string>()
                     : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
}

std::map<std::string, std::string> content_ids(const nlohmann::json& identity) {
  std::map<std::string, std::string> found;
  if (!identity.is_object() || !identity.contains("inputs")) return found;
  for (const auto& input : identity["inputs"]) {
    found[text_or(input, "role", "")] = text_or(input, "content_id", "");
  }
  return found;
}

void compare(const std::string& kind, const std::map<std::string, std::string>& old_values,
             const std::map<std::string, std::string>& new_values, bool show_values,
             std::vector<std::string>& found) {
  std::map<std::string, std::string> names = old_values;
  names.insert(new_values.begin(), new_values.end());
  for (const auto& entry : names) {
    const auto& name = entry.first;
    const auto before = old_values.find(name);
    const auto after = new_values.find(name);
    const bool had = before != old_values.end(), has = after != new_values.end();
    if (had && has && before->second == after->second) continue;
    const std::string shown = base::escape_controls(name);
    if (show_values) {
      found.push_back(fmt::format("{} {} {} -> {}", kind, shown,
                                  had ? base::escape_controls(before->second) : "not given",
                                  has ? base::escape_controls(after->second) : "not given"));
    } else {
      found.push_back(fmt::format("{} {} {}", kind, shown,
                                  had && has ? "changed" : (has ? "added" : "removed")));
    }
  }
}

}  // namespace

std::string ResultPlan::fingerprint() const {
  // A sorted object, so that the order in which a tool lists its options does not count.
  nlohmann::json identity = {{"tool", tool}, {"format_version", format_version}};
  identity["options"] = nlohmann::json(options);
  identity["inputs"] = nlohmann::json::array();
  for (const Input& input : inputs) {
    identity["inputs"].push_back({{"role", input.role}, {"content_id", input.content_id}});
  }
  const std::string text = identity.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  io::Digest hash(io::Digest::Algorithm::kSha256);
  hash.update(text);
  return hash.hex();
}

nlohmann::json identity_of(const ResultPlan& result) {
  nlohmann::json identity = {{"tool", result.tool},
                             {"format_version", result.format_version},
                             {"fingerprint", result.fingerprint()},
                             {"options", nlohmann::json(result.options)},
                             {"inputs", nlohmann::json::array()}};
  for (const Input& input : result.inputs) {
    identity["inputs"].push_back(
        {{"role", input.role}, {"path", input.path.string()}, {"content_id", input.content_id}});
  }
  return identity;
}

std::string differences(const nlohmann::json& recorded, const ResultPlan& result) {
  const nlohmann::json now = identity_of(result);
  std::vector<std::string> found;
  const std::string old_tool = text_or(recorded, "tool", "unknown");
  if (old_tool != result.tool) {
    found.push_back(fmt::format("tool {} -> {}", base::escape_controls(old_tool), result.tool));
  }
  const int old_format = value_or(recorded, "format_version", 0);
  if (old_format != result.format_version) {
    found.push_back(fmt::format("format version {} -> {}", old_format, result.format_version));
  }
  std::map<std::string, std::string> before, after;
  flatten(value_or(recorded, "options", nlohmann::json::object()), "", before);
  flatten(now["options"], "", after);
  compare("option", before, after, true, found);
  compare("input", content_ids(recorded), content_ids(now), false, found);
  if (found.empty()) return "the fingerprint differs";
  return fmt::format("{}", fmt::join(found, "; "));
}

}  // namespace lq::stage

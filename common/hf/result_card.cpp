#include "common/hf/result_card.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "common/model/model_card.h"
#include "common/model/origin.h"

namespace lq::hf {
namespace {

constexpr std::size_t kShownTensors = 20;

/// Text of others as a YAML scalar: JSON is YAML.
std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// Text of others in a table or a list: on one line, nothing in it is markup.
std::string inert(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      out += ' ';
      continue;
    }
    if (std::string_view("\\`*_[]<>|").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

/// "ns/name" of the source; empty when nothing tells it.
std::string repository(const model::Checkpoint& source) {
  const nlohmann::ordered_json origin = model::read_origin(source.dir);
  if (!origin.is_object() || !origin.contains("repo") || !origin["repo"].is_string()) return {};
  return origin["repo"].get<std::string>();
}

void add_list(std::string& text, const char* key, const std::vector<std::string>& values) {
  if (values.empty()) return;
  text += fmt::format("{}:\n", key);
  for (const std::string& value : values) text += fmt::format("- {}\n", quoted(value));
}

std::vector<std::string> tags_of(const CardFacts& facts) {
  const std::string_view name = facts.format->name;
  return {std::string(name == "gptq_v2" ? "gptq" : name),
          fmt::format("{}-bit", facts.quantization->scheme.bits), "lq"};
}

std::string front_matter(const model::Checkpoint& source, const CardFacts& facts) {
  const model::ModelCard card = model::read_model_card(source.dir);
  const std::string repo = repository(source);
  std::string text = "---\n";
  if (!card.license.empty()) text += fmt::format("license: {}\n", quoted(card.license));
  if (!card.license_name.empty())
    text += fmt::format("license_name: {}\n", quoted(card.license_name));
  if (!card.license_link.empty())
    text += fmt::format("license_link: {}\n", quoted(card.license_link));
  add_list(text, "base_model", repo.empty() ? card.base_models : std::vector<std::string>{repo});
  if (!repo.empty()) text += "base_model_relation: quantized\n";
  add_list(text, "language", card.languages);
  text += "library_name: transformers\npipeline_tag: text-generation\n";
  add_list(text, "tags", tags_of(facts));
  return text + "---\n";
}

std::string settings_table(const CardFacts& facts) {
  std::string text = "| setting | value |\n| --- | --- |\n";
  text += fmt::format("| format | {} |\n", facts.format->name);
  text += fmt::format("| scheme | {} |\n", describe(facts.quantization->scheme));
  for (const auto& [name, value] : facts.settings) {
    text += fmt::format("| {} | {} |\n", inert(name), inert(value));
  }
  return text;
}

std::string scheme_list(const QuantizationFacts& quantization) {
  std::string text;
  for (const Module& module : quantization.modules) {
    if (module.scheme == quantization.scheme) continue;
    text += fmt::format("- {}: {}{}\n", inert(module.name), describe(module.scheme),
                        module.why_float.empty() ? "" : ", " + inert(module.why_float));
  }
  return text;
}

std::string error_table(const std::vector<RoleError>& errors) {
  const bool compared = std::ranges::any_of(
      errors, [](const RoleError& row) { return row.rounding_error.has_value(); });
  std::string text = compared ? "| linears | number | error | rounding to nearest |\n"
                                "| --- | --- | --- | --- |\n"
                              : "| linears | number | error |\n| --- | --- | --- |\n";
  for (const RoleError& row : errors) {
    text += fmt::format("| {} | {} | {:.3g} |", inert(row.role), row.n_modules, row.error);
    if (compared) text += row.rounding_error ? fmt::format(" {:.3g} |", *row.rounding_error) : " |";
    text += '\n';
  }
  return text;
}

std::string tensor_list(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShownTensors); ++i) {
    text += fmt::format("- {}\n", inert(names[i]));
  }
  if (names.size() > kShownTensors) {
    text += fmt::format("- and {} more\n", names.size() - kShownTensors);
  }
  return text;
}

std::string loading(const std::vector<Verdict>& verdicts) {
  std::string text;
  for (const Verdict& verdict : verdicts) text += fmt::format("- {}\n", inert(sentence(verdict)));
  const auto loads = [&](std::string_view runtime) {
    return std::ranges::any_of(verdicts, [&](const Verdict& verdict) {
      return verdict.loads && verdict.runtime.starts_with(runtime);
    });
  };
  if (loads("vLLM")) text += "\n```sh\nvllm serve ./THIS_DIRECTORY\n```\n";
  if (loads("transformers")) {
    text +=
        "\n```python\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        "tokenizer = AutoTokenizer.from_pretrained(\"./THIS_DIRECTORY\")\n"
        "model = AutoModelForCausalLM.from_pretrained(\"./THIS_DIRECTORY\", dtype=\"auto\")\n```\n";
  }
  return text;
}

void add_section(std::string& text, const char* title, const std::string& body) {
  if (!body.empty()) text += fmt::format("\n## {}\n\n{}", title, body);
}

}  // namespace

std::string result_card(const model::Checkpoint& source, const CardFacts& facts) {
  std::string text = front_matter(source, facts);
  text += fmt::format("\n# {}\n\n{}\n", inert(facts.title), facts.method);
  add_section(text, "Settings", settings_table(facts));
  add_section(text, "Linears of another scheme", scheme_list(*facts.quantization));
  if (!facts.errors.empty()) {
    add_section(
        text, "Output error",
        "tr(E H E^T) / tr(W H W^T), summed over the linears of a role: H is the damped sum of "
        "x x^T of what they read on the calibration texts, E is W - Q, and W is what was to be "
        "met, scaled or corrected where that was done.\n\n" +
            error_table(facts.errors));
  }
  add_section(text, "Loading", loading(facts.verdicts));
  add_section(text, "Tensors copied as they are", tensor_list(facts.unknown_tensors));
  return text;
}

}  // namespace lq::hf

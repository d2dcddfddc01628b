#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <limits>
#include <system_error>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/json_file.h"
#include "common/model/gguf_model.h"
#include "common/model/model_card.h"
#include "common/model/model_id.h"
#include "common/text/vocabulary.h"

namespace lq::model {
namespace {

using nlohmann::json;

void set_text(gguf::Metadata& metadata, std::string key, const std::string& text) {
  if (!text.empty()) metadata.set(std::move(key), text);
}

void set_list(gguf::Metadata& metadata, std::string key, std::vector<std::string> list) {
  if (!list.empty()) metadata.set(std::move(key), std::move(list));
}

void set_number(gguf::Metadata& metadata, std::string key, std::int64_t number) {
  metadata.set(std::move(key), static_cast<std::uint32_t>(number));
}

void set_real(gguf::Metadata& metadata, std::string key, double number) {
  metadata.set(std::move(key), static_cast<float>(number));
}

/// A model that this one was made from, "org/name" or a name alone.
void describe_base_model(gguf::Metadata& metadata, std::size_t index, const std::string& repo) {
  const std::string prefix = fmt::format("general.base_model.{}.", index);
  const std::size_t slash = repo.find('/');
  const std::string name = slash == repo.npos ? repo : repo.substr(slash + 1);
  metadata.set(prefix + "name", title_of(name));
  set_text(metadata, prefix + "version", split_model_id(name, 0).version);
  if (slash == repo.npos || repo.find("://") != repo.npos) return;
  metadata.set(prefix + "organization", title_of(repo.substr(0, slash)));
  metadata.set(prefix + "repo_url", fmt::format("https://huggingface.co/{}", repo));
}

struct SamplingKey {
  std::string_view hf, gguf;
  bool whole;
};
constexpr std::array kSamplingKeys = {
    SamplingKey{"temperature", "temp", false},
    SamplingKey{"top_k", "top_k", true},
    SamplingKey{"top_p", "top_p", false},
    SamplingKey{"min_p", "min_p", false},
    SamplingKey{"xtc_probability", "xtc_probability", false},
    SamplingKey{"xtc_threshold", "xtc_threshold", false},
    SamplingKey{"penalty_last_n", "penalty_last_n", true},
    SamplingKey{"repetition_penalty", "penalty_repeat", false},
    SamplingKey{"mirostat", "mirostat", true},
    SamplingKey{"mirostat_tau", "mirostat_tau", false},
    SamplingKey{"mirostat_eta", "mirostat_eta", false},
};

/// The authors' recommendation; a value that is no sensible number is no recommendation.
void describe_sampling(gguf::Metadata& metadata, const std::filesystem::path& dir) {
  const std::filesystem::path file = dir / "generation_config.json";
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return;
  const json config = io::read_json_file(file);
  if (!config.is_object()) return;
  for (const SamplingKey& row : kSamplingKeys) {
    const auto value = config.find(row.hf);
    if (value == config.end() || !value->is_number()) continue;
    const std::string key = fmt::format("general.sampling.{}", row.gguf);
    const double number = value->get<double>();
    if (std::abs(number) > std::numeric_limits<std::int32_t>::max()) continue;
    if (row.whole) {
      metadata.set(key, static_cast<std::int32_t>(number));
    } else {
      set_real(metadata, key, number);
    }
  }
}

void describe_general(const Checkpoint& checkpoint, gguf::Metadata& metadata) {
  const ModelCard card = read_model_card(checkpoint.dir);
  const std::string id = model_name(checkpoint.dir);
  const std::uint64_t n_parameters = checkpoint.n_parameters();
  const ModelId parts = split_model_id(id, n_parameters);
  metadata.set("general.architecture", std::string(checkpoint.architecture->name));
  metadata.set("general.type", std::string("model"));
  describe_sampling(metadata, checkpoint.dir);
  set_text(metadata, "general.name", card.name.empty() ? title_of(id) : card.name);
  set_text(metadata, "general.version", parts.version);
  set_text(metadata, "general.finetune", parts.finetune);
  set_text(metadata, "general.basename", parts.basename);
  metadata.set("general.size_label",
               parts.size_label.empty() ? size_label(n_parameters) : parts.size_label);
  set_text(metadata, "general.license", card.license);
  set_text(metadata, "general.license.name", card.license_name);
  set_text(metadata, "general.license.link", card.license_link);
  if (!card.base_models.empty()) {
    set_number(metadata, "general.base_model.count",
               static_cast<std::int64_t>(card.base_models.size()));
  }
  for (std::size_t i = 0; i < card.base_models.size(); ++i) {
    describe_base_model(metadata, i, card.base_models[i]);
  }
  set_list(metadata, "general.tags", card.tags);
  set_list(metadata, "general.languages", card.languages);
  set_list(metadata, "general.datasets", card.datasets);
}

void describe_rope(const Checkpoint& checkpoint, const std::string& prefix,
                   gguf::Metadata& metadata) {
  const RopeConfig& rope = checkpoint.config.rope;
  if (checkpoint.architecture->writes_rope_dimension) {
    set_number(metadata, prefix + "rope.dimension_count", checkpoint.config.head_dim);
  }
  set_real(metadata, prefix + "rope.freq_base", rope.base);
  const std::string scaling = prefix + "rope.scaling.";
  if (rope.scaling == RopeScalingKind::kLinear) {
    metadata.set(scaling + "type", std::string(rope_scaling_name(rope.scaling)));
    set_real(metadata, scaling + "factor", rope.factor);
  }
  if (rope.scaling != RopeScalingKind::kYarn) return;
  metadata.set(scaling + "type", std::string(rope_scaling_name(rope.scaling)));
  set_real(metadata, scaling + "factor", rope.factor);
  // Unstated, the context of the configuration is the one before stretching.
  set_number(metadata, scaling + "original_context_length",
             rope.original_context > 0 ? rope.original_context : checkpoint.config.context);
  const auto set_optional = [&](std::string_view key, const std::optional<double>& value) {
    if (value) set_real(metadata, scaling + std::string(key), *value);
  };
  set_optional("yarn_ext_factor", rope.extrapolation_factor);
  // attention_factor stands for the whole.
  if (rope.attention_factor) {
    set_real(metadata, scaling + "attn_factor",
             *rope.attention_factor / runtime_attention_factor(rope.factor));
  }
  set_optional("yarn_beta_fast", rope.beta_fast);
  set_optional("yarn_beta_slow", rope.beta_slow);
}

void describe_shapes(const Checkpoint& checkpoint, gguf::Metadata& metadata) {
  const ModelConfig& config = checkpoint.config;
  const std::string prefix = fmt::format("{}.", checkpoint.architecture->name);
  set_number(metadata, prefix + "block_count", config.n_layers);
  set_number(metadata, prefix + "context_length", config.context);
  set_number(metadata, prefix + "embedding_length", config.hidden);
  set_number(metadata, prefix + "feed_forward_length", config.ffn);
  set_number(metadata, prefix + "attention.head_count", config.n_heads);
  set_number(metadata, prefix + "attention.head_count_kv", config.n_kv_heads);
  set_real(metadata, prefix + "attention.layer_norm_rms_epsilon", config.norm_eps);
  if (checkpoint.architecture->writes_head_dim || config.head_dim_given) {
    set_number(metadata, prefix + "attention.key_length", config.head_dim);
    set_number(metadata, prefix + "attention.value_length", config.head_dim);
  }
  describe_rope(checkpoint, prefix, metadata);
  set_number(metadata, prefix + "vocab_size", config.vocab);
}

/// Ids that config.json states, by GGUF's key stem; of a list the first. Negative ones mean none.
std::map<std::string, std::uint32_t> stated_ids(const json& config) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kNames = {
      {{"bos", "bos"},
       {"eos", "eos"},
       {"unk", "unknown"},
       {"sep", "seperator"},
       {"pad", "padding"},
       {"cls", "cls"},
       {"mask", "mask"}}};
  std::map<std::string, std::uint32_t> ids;
  for (const auto& [hf, stem] : kNames) {
    const auto value = config.find(fmt::format("{}_token_id", hf));
    if (value == config.end()) continue;
    const json& id = value->is_array() && !value->empty() ? value->front() : *value;
    if (!id.is_number_integer() || id < 0 || id > std::numeric_limits<std::int32_t>::max())
      continue;
    ids.emplace(stem, id.get<std::uint32_t>());
  }
  return ids;
}

std::string chosen_pre(const text::Vocabulary& vocabulary, const std::optional<std::string>& pre) {
  if (pre) {
    const auto plain = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    };
    if (!pre->empty() && std::ranges::all_of(*pre, plain)) return *pre;
    throw base::UsageError(
        "cannot use the name of a pre-tokenizer given with --pre",
        fmt::format("'{}' is not one: such names are lower-case, like llama-bpe or qwen2",
                    base::escape_controls(*pre)),
        "give a name that llama.cpp knows");
  }
  if (!vocabulary.pre.empty()) return vocabulary.pre;
  throw base::UnsupportedError(
      fmt::format("cannot name the pre-tokenizer of {}", base::shown(vocabulary.source)),
      "it splits text in a way that is none of those known here",
      "if you know which of llama.cpp's pre-tokenizers is the same, name it: --pre NAME");
}

void describe_tokenizer(const Checkpoint& checkpoint, const std::optional<std::string>& pre,
                        gguf::Metadata& metadata) {
  text::Vocabulary vocabulary = text::read_vocabulary(checkpoint.dir, checkpoint.config.vocab,
                                                      stated_ids(checkpoint.config.raw));
  const bool byte_level = vocabulary.kind == text::VocabularyKind::kByteLevelBpe;
  const std::string prefix = "tokenizer.ggml.";
  metadata.set(prefix + "model", std::string(byte_level ? "gpt2" : "llama"));
  metadata.set(prefix + "pre", chosen_pre(vocabulary, pre));
  metadata.set(prefix + "tokens", std::move(vocabulary.tokens));
  if (!byte_level) metadata.set(prefix + "scores", std::move(vocabulary.scores));
  std::vector<std::int32_t> types;
  for (const text::TokenType type : vocabulary.types)
    types.push_back(static_cast<std::int32_t>(type));
  metadata.set(prefix + "token_type", std::move(types));
  if (byte_level) metadata.set(prefix + "merges", std::move(vocabulary.merges));
  for (const auto& [stem, id] : vocabulary.special_ids) {
    metadata.set(fmt::format("{}{}_token_id", prefix, stem), id);
  }
  const auto set_flag = [&](std::string_view key, const std::optional<bool>& flag) {
    if (flag) metadata.set(prefix + std::string(key), *flag);
  };
  set_flag("add_bos_token", vocabulary.add_bos);
  set_flag("add_eos_token", vocabulary.add_eos);
  set_flag("add_space_prefix", vocabulary.add_space_prefix);
  std::vector<std::string> names;
  for (const auto& [name, text] : vocabulary.named_templates) {
    metadata.set(fmt::format("tokenizer.chat_template.{}", name), text);
    names.push_back(name);
  }
  set_list(metadata, "tokenizer.chat_templates", std::move(names));
  set_text(metadata, "tokenizer.chat_template", vocabulary.chat_template);
}

}  // namespace

gguf::Metadata gguf_metadata(const Checkpoint& checkpoint, const std::optional<std::string>& pre) {
  gguf::Metadata metadata;
  describe_general(checkpoint, metadata);
  describe_shapes(checkpoint, metadata);
  describe_tokenizer(checkpoint, pre, metadata);
  return metadata;
}

}  // namespace lq::model

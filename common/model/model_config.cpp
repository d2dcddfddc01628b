#include "common/model/model_config.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <fmt/format.h>
#include <initializer_list>
#include <limits>
#include <span>
#include <string_view>
#include <system_error>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/json_file.h"

namespace lq::model {
namespace {

using nlohmann::json;

// GGUF keeps these numbers in 32 bits; more layers than this is no model but an attack on our
// loops.
constexpr std::int64_t kMaxNumber = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMaxLayers = 65535;
constexpr std::int64_t kMaxVocab = std::int64_t{1} << 24;

/// One JSON object of the file, read key by key; knows where it stands for messages.
class KeyReader {
 public:
  KeyReader(const json& object, std::filesystem::path file, std::string prefix = "")
      : object_(object), file_(std::move(file)), prefix_(std::move(prefix)) {}

  /// The first of the spellings that is there and not null; its name goes to `found`.
  const json* find(std::span<const std::string_view> keys, std::string& found) const {
    for (const std::string_view key : keys) {
      const auto at = object_.find(key);
      if (at != object_.end() && !at->is_null()) {
        found = prefix_ + std::string(key);
        return &*at;
      }
    }
    return nullptr;
  }

  std::optional<double> real(std::initializer_list<std::string_view> keys) const {
    std::string key;
    const json* value = find({keys.begin(), keys.size()}, key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number() || !std::isfinite(value->get<double>()))
      reject(key, *value, "a number");
    return value->get<double>();
  }

  std::optional<double> positive(std::initializer_list<std::string_view> keys) const {
    const std::optional<double> value = real(keys);
    if (value && *value <= 0) reject(std::string(*keys.begin()), *value, "a number above 0");
    return value;
  }

  /// A whole number in [lowest, highest]; "1e4" and "4096.0" are whole numbers too.
  std::optional<std::int64_t> whole(std::initializer_list<std::string_view> keys,
                                    std::int64_t lowest = 1,
                                    std::int64_t highest = kMaxNumber) const {
    std::string key;
    const json* value = find({keys.begin(), keys.size()}, key);
    if (value == nullptr) return std::nullopt;
    const double number = value->is_number() ? value->get<double>() : std::nan("");
    if (!(number >= static_cast<double>(lowest) && number <= static_cast<double>(highest)) ||
        number != std::floor(number)) {
      reject(key, *value, fmt::format("a whole number from {} to {}", lowest, highest));
    }
    return static_cast<std::int64_t>(number);
  }

  std::string text(std::initializer_list<std::string_view> keys) const {
    std::string key;
    const json* value = find({keys.begin(), keys.size()}, key);
    if (value == nullptr) return {};
    if (!value->is_string()) reject(key, *value, "a string");
    return value->get<std::string>();
  }

  bool flag(std::string_view name, bool absent) const {
    std::string key;
    const json* value = find({&name, 1}, key);
    if (value == nullptr) return absent;
    if (!value->is_boolean()) reject(key, *value, "true or false");
    return value->get<bool>();
  }

  [[noreturn]] void reject(const std::string& key, const json& value,
                           std::string_view expected) const {
    std::string dumped = value.dump(-1, ' ', false, json::error_handler_t::replace);
    if (dumped.size() > 60) dumped = dumped.substr(0, 57) + "...";
    throw base::ValidationError("cannot read " + base::shown(file_),
                                fmt::format("{} is {}, expected {}", base::escape_controls(key),
                                            base::escape_controls(dumped), expected),
                                "get the file from its source again, or correct the value");
  }

 private:
  const json& object_;
  std::filesystem::path file_;
  std::string prefix_;
};

/// The first name of a kind is the one that it is shown under.
struct ScalingName {
  std::string_view name;
  RopeScalingKind kind;
};
constexpr std::array kScalingNames = {
    ScalingName{"default", RopeScalingKind::kNone},
    ScalingName{"linear", RopeScalingKind::kLinear},
    ScalingName{"dynamic", RopeScalingKind::kDynamic},
    ScalingName{"llama3", RopeScalingKind::kLlama3},
    ScalingName{"yarn", RopeScalingKind::kYarn},
    ScalingName{"longrope", RopeScalingKind::kLongRope},
    ScalingName{"su", RopeScalingKind::kLongRope},
};

RopeScalingKind scaling_kind(const std::string& name, const std::filesystem::path& file) {
  for (const ScalingName& row : kScalingNames) {
    if (row.name == name) return row.kind;
  }
  std::string known;
  for (const ScalingName& row : kScalingNames)
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  throw base::UnsupportedError(
      "cannot read the rope scaling of " + base::shown(file),
      fmt::format("its type is '{}'; known are {}", base::escape_controls(name), known),
      "use a model with one of these, or remove the scaling when it is not wanted");
}

/// One key object holds it: `rope_parameters` (newer) or `rope_scaling` (older, without the base).
RopeConfig read_rope(const KeyReader& top, const std::filesystem::path& file) {
  RopeConfig rope;
  rope.base = top.positive({"rope_theta", "rotary_emb_base", "rope_freq_base"}).value_or(rope.base);
  constexpr std::array<std::string_view, 2> kObjects = {"rope_parameters", "rope_scaling"};
  std::string key;
  const json* object = top.find(kObjects, key);
  if (object == nullptr) return rope;
  if (!object->is_object()) top.reject(key, *object, "an object");
  const KeyReader reader(*object, file, key + ".");
  for (const auto& [name, value] : object->items()) {
    if (value.is_object()) {
      throw base::UnsupportedError("cannot read the rope parameters of " + base::shown(file),
                                   fmt::format("{} differs between kinds of layers ('{}')", key,
                                               base::escape_controls(name)),
                                   "use a model whose layers share one set of rope parameters");
    }
  }
  rope.base = reader.positive({"rope_theta"}).value_or(rope.base);
  const std::string kind = reader.text({"rope_type", "type"});
  rope.scaling = kind.empty() ? RopeScalingKind::kNone : scaling_kind(kind, file);
  // The published Llama 3.1 values, which its own reader assumes where a key is left out.
  const double usual_factor = rope.scaling == RopeScalingKind::kLlama3 ? 8 : 1;
  rope.factor = reader.positive({"factor"}).value_or(usual_factor);
  rope.low_freq_factor = reader.positive({"low_freq_factor"}).value_or(rope.low_freq_factor);
  rope.high_freq_factor = reader.positive({"high_freq_factor"}).value_or(rope.high_freq_factor);
  rope.original_context =
      reader.whole({"original_max_position_embeddings"})
          .value_or(top.whole({"original_max_position_embeddings"}).value_or(0));
  rope.extrapolation_factor = reader.real({"extrapolation_factor"});
  rope.attention_factor = reader.real({"attention_factor"});
  rope.beta_fast = reader.real({"beta_fast"});
  rope.beta_slow = reader.real({"beta_slow"});
  if (rope.scaling == RopeScalingKind::kLlama3 && rope.low_freq_factor >= rope.high_freq_factor) {
    reader.reject(key + ".low_freq_factor", rope.low_freq_factor,
                  "a number below high_freq_factor");
  }
  return rope;
}

std::string first_architecture(const json& raw, const KeyReader& top) {
  const auto list = raw.find("architectures");
  if (list == raw.end() || list->is_null() || (list->is_array() && list->empty())) return {};
  if (!list->is_array() || !list->front().is_string()) {
    top.reject("architectures", *list, "a list of names");
  }
  return list->front().get<std::string>();
}

void read_shapes(const KeyReader& top, ModelConfig& config) {
  config.n_layers =
      top.whole({"num_hidden_layers", "n_layers", "n_layer", "num_layers"}, 1, kMaxLayers)
          .value_or(0);
  config.hidden = top.whole({"hidden_size", "n_embd", "d_model", "dim"}).value_or(0);
  config.ffn = top.whole({"intermediate_size", "n_inner", "ffn_dim"}).value_or(0);
  config.n_heads = top.whole({"num_attention_heads", "n_heads", "n_head"}).value_or(0);
  config.n_kv_heads =
      top.whole({"num_key_value_heads", "n_kv_heads", "num_kv_heads"}).value_or(config.n_heads);
  const std::optional<std::int64_t> head_dim = top.whole({"head_dim"});
  config.head_dim_given = head_dim.has_value();
  config.head_dim = head_dim.value_or(config.n_heads > 0 ? config.hidden / config.n_heads : 0);
  config.context =
      top.whole({"max_position_embeddings", "n_ctx", "n_positions", "max_sequence_length"})
          .value_or(0);
  config.vocab = top.whole({"vocab_size"}, 1, kMaxVocab).value_or(0);
  config.n_experts =
      top.whole({"num_local_experts", "num_experts", "n_routed_experts"}, 0).value_or(0);
}

}  // namespace

std::string_view rope_scaling_name(RopeScalingKind kind) {
  // "default" is what config.json calls none.
  if (kind == RopeScalingKind::kNone) return "none";
  const auto row = std::ranges::find(kScalingNames, kind, &ScalingName::kind);
  assert(row != kScalingNames.end());
  return row->name;
}

ModelConfig read_config(const std::filesystem::path& dir) {
  std::error_code ignored;
  const std::filesystem::path file = dir / "config.json";
  if (!std::filesystem::is_directory(dir, ignored)) {
    const bool exists = std::filesystem::exists(dir, ignored);
    throw base::ModelNotFoundError(
        "cannot open the model " + base::shown(dir),
        exists ? "it is not a directory" : "there is no such directory",
        "give the path of a directory that holds config.json and safetensors files");
  }
  std::error_code unseen;
  if (!std::filesystem::exists(file, unseen)) {
    if (unseen) {
      throw base::ModelNotFoundError("cannot open the model " + base::shown(dir),
                                     fmt::format("config.json: {}", unseen.message()),
                                     "give this user access to the directory and its files");
    }
    throw base::ModelNotFoundError("cannot open the model " + base::shown(dir),
                                   "config.json is not in this directory",
                                   "give the directory that holds config.json, or download the "
                                   "file from the model's repository");
  }
  ModelConfig config;
  config.path = file;
  config.raw = io::read_json_file(file);
  if (!config.raw.is_object()) {
    throw base::ValidationError("cannot read " + base::shown(file), "it holds no JSON object",
                                "get the file from its source again");
  }
  const KeyReader top(config.raw, file);
  config.architecture = first_architecture(config.raw, top);
  config.model_type = top.text({"model_type"});
  if (config.architecture.empty() && config.model_type.empty()) {
    throw base::ValidationError("cannot read " + base::shown(file),
                                "it names neither architectures nor model_type",
                                "check that this is the config.json of a model");
  }
  read_shapes(top, config);
  config.norm_eps = top.positive({"rms_norm_eps", "norm_eps", "norm_epsilon", "layer_norm_eps",
                                  "layer_norm_epsilon"})
                        .value_or(0);
  config.tied_embeddings = top.flag("tie_word_embeddings", false);
  // Qwen states a window and switches it on by another key; Mistral only states one.
  const bool qwen = config.model_type.starts_with("qwen");
  const bool window_used = top.flag("use_sliding_window", !qwen);
  const std::int64_t window = top.whole({"sliding_window"}, 0).value_or(0);
  config.sliding_window = window_used ? window : 0;
  config.rope = read_rope(top, file);
  config.rotary_fraction = top.positive({"partial_rotary_factor", "rotary_pct"}).value_or(1);
  config.activation = top.text({"hidden_act", "hidden_activation", "activation_function"});
  config.torch_dtype = top.text({"dtype", "torch_dtype"});
  return config;
}

void require_complete(const ModelConfig& config) {
  std::string problems;
  const auto complain = [&](const std::string& problem) {
    problems += (problems.empty() ? "" : "; ") + problem;
  };
  const auto require = [&](bool there, std::string_view key) {
    if (!there) complain(fmt::format("{} is missing", key));
  };
  require(config.n_layers > 0, "num_hidden_layers");
  require(config.hidden > 0, "hidden_size");
  require(config.ffn > 0, "intermediate_size");
  require(config.n_heads > 0, "num_attention_heads");
  require(config.context > 0, "max_position_embeddings");
  require(config.vocab > 0, "vocab_size");
  require(config.norm_eps > 0, "rms_norm_eps");
  if (config.n_heads > 0 && config.hidden > 0) {
    if (!config.head_dim_given && config.hidden % config.n_heads != 0) {
      complain(fmt::format(
          "hidden_size {} is not a multiple of num_attention_heads {}, and head_dim is missing",
          config.hidden, config.n_heads));
    } else if (config.head_dim % 2 != 0) {
      complain(fmt::format("head_dim {} is odd", config.head_dim));
    }
    if (config.n_heads % config.n_kv_heads != 0) {
      complain(fmt::format("num_attention_heads {} is not a multiple of num_key_value_heads {}",
                           config.n_heads, config.n_kv_heads));
    }
  }
  if (problems.empty()) return;
  throw base::ValidationError("cannot use " + base::shown(config.path), problems,
                              "get the file from its source again, or correct the values");
}

std::string quantization_method(const ModelConfig& config) {
  const auto object = config.raw.find("quantization_config");
  if (object == config.raw.end() || !object->is_object()) return {};
  const auto method = object->find("quant_method");
  if (method != object->end() && method->is_string()) {
    return base::escape_controls(method->get<std::string>());
  }
  return "an unnamed method";
}

}  // namespace lq::model

#include "common/model/model_config.h"

#include <fmt/format.h>
#include <system_error>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/json_file.h"
#include "common/model/architecture.h"
#include "common/model/key_reader.h"

namespace lq::model {
namespace {

using nlohmann::json;

// More layers than this is no model but an attack on our loops.
constexpr std::int64_t kMaxLayers = 65535;
constexpr std::int64_t kMaxVocab = std::int64_t{1} << 24;

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
  const HfClass* const known = known_class(config.architecture, config.model_type).hf_class;
  config.windows =
      read_windows(top, config.n_layers, known == nullptr ? WindowRule::kUnknown : known->windows);
  config.rope = read_rope(top);
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
  require(config.rope.factor > 0, "the factor of the rope scaling");
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

#include "common/subject/gguf_config.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/text.h"
#include "common/gguf/format.h"
#include "common/model/gguf_rows.h"
#include "common/model/rope_factors.h"
#include "common/subject/gguf_keys.h"
#include "common/subject/gguf_values.h"

namespace lq::subject {
namespace {

using model::RopeScalingKind;

// More layers than this is no model but an attack on our loops.
constexpr std::int64_t kMaxLayers = 65535;

class ConfigReader {
 public:
  ConfigReader(const gguf::Reader& reader, const model::Architecture& architecture)
      : reader_(reader),
        architecture_(architecture),
        keys_(reader.metadata(), reader.files().front()) {}

  model::ModelConfig read() {
    config_.path = keys_.file();
    config_.architecture = architecture_.hf_classes.front().name;
    config_.model_type = architecture_.hf_classes.front().model_type;
    config_.raw = nlohmann::json::object();
    config_.activation = "silu";
    read_shapes();
    read_heads();
    read_vocabulary();
    read_windows();
    read_rope();
    read_divisors();
    return std::move(config_);
  }

 private:
  std::string key(std::string_view name) const {
    return fmt::format("{}.{}", architecture_.name, name);
  }

  void read_shapes() {
    if (keys_.whole(key("expert_count"), 0).value_or(0) > 0) {
      keys_.refuse("it has experts; only dense models are run");
    }
    config_.n_layers = keys_.required(key("block_count"), 1, kMaxLayers);
    config_.context = keys_.required(key("context_length"));
    config_.hidden = keys_.required(key("embedding_length"));
    config_.ffn = keys_.required(key("feed_forward_length"));
    config_.n_heads = keys_.required(key("attention.head_count"));
    config_.n_kv_heads = keys_.whole(key("attention.head_count_kv")).value_or(config_.n_heads);
    const std::string eps = key("attention.layer_norm_rms_epsilon");
    if (!keys_.real(eps)) keys_.miss(eps);
    config_.norm_eps = *keys_.positive(eps);
  }

  void read_heads() {
    const auto dim = keys_.whole(key("attention.key_length"));
    config_.head_dim_given = dim.has_value();
    if (!dim && config_.hidden % config_.n_heads != 0) {
      keys_.reject(fmt::format("its width {} is not a multiple of its {} heads, and {} is missing",
                               config_.hidden, config_.n_heads, key("attention.key_length")));
    }
    config_.head_dim = dim.value_or(config_.hidden / config_.n_heads);
    if (config_.head_dim % 2 != 0) {
      keys_.reject(fmt::format("its heads have {} dimensions, an odd number", config_.head_dim));
    }
    if (config_.n_heads % config_.n_kv_heads != 0) {
      keys_.reject(fmt::format("its {} heads are not a multiple of its {} key-value heads",
                               config_.n_heads, config_.n_kv_heads));
    }
    const std::int64_t values =
        keys_.whole(key("attention.value_length")).value_or(config_.head_dim);
    if (values != config_.head_dim) {
      keys_.refuse(fmt::format("its heads have {} dimensions of keys and {} of values",
                               config_.head_dim, values));
    }
    const std::int64_t rotated =
        keys_.whole(key("rope.dimension_count")).value_or(config_.head_dim);
    if (rotated != config_.head_dim) {
      keys_.refuse(fmt::format("it rotates {} of the {} dimensions of each head; here all are",
                               rotated, config_.head_dim));
    }
  }

  /// The rows of the embeddings: a file need not state its number of tokens.
  void read_vocabulary() {
    for (const model::TensorRow& row : architecture_.tensors) {
      const gguf::TensorInfo* const found = reader_.find(model::gguf_name(row, -1, false));
      if (row.presence == model::Presence::kUnlessTied) config_.tied_embeddings = found == nullptr;
      if (row.role != model::TensorRole::kTokenEmbedding) continue;
      if (found == nullptr || found->dims.size() != 2) {
        keys_.reject(fmt::format("it has no matrix {}", model::gguf_name(row, -1, false)));
      }
      if (found->dims[1] > static_cast<std::uint64_t>(GgufKeys::kMaxNumber)) {
        keys_.reject(fmt::format("it has {} tokens", found->dims[1]));
      }
      config_.vocab = static_cast<std::int64_t>(found->dims[1]);
    }
    const std::int64_t stated = keys_.whole(key("vocab_size")).value_or(config_.vocab);
    if (stated != config_.vocab) {
      keys_.reject(fmt::format("{} is {}, but its embeddings have {} rows", key("vocab_size"),
                               stated, config_.vocab));
    }
  }

  void read_windows() {
    config_.windows.size = keys_.whole(key("attention.sliding_window"), 0).value_or(0);
    if (config_.windows.size == 0) return;
    const std::string pattern = key("attention.sliding_window_pattern");
    const std::vector<bool>* const has = keys_.flags(pattern);
    if (has == nullptr) return;
    if (std::ssize(*has) != config_.n_layers) {
      keys_.reject(
          fmt::format("{} has {} values for {} layers", pattern, has->size(), config_.n_layers));
    }
    config_.windows.has = *has;
    if (std::ranges::count(*has, true) == 0) config_.windows = {};
  }

  void read_rope() {
    model::RopeConfig& rope = config_.rope;
    rope.base = keys_.positive(key("rope.freq_base")).value_or(rope.base);
    const std::string scaling = key("rope.scaling.");
    // A factor alone means linear scaling; the older key has no type beside it.
    const std::string type = keys_.text(scaling + "type").value_or("linear");
    double factor = keys_.real(scaling + "factor").value_or(0);
    if (factor == 0) factor = keys_.real(key("rope.scale_linear")).value_or(0);
    if (factor < 0) keys_.reject(fmt::format("the factor of its rope scaling is {}", factor));
    const bool is_yarn = type == model::rope_scaling_name(RopeScalingKind::kYarn);
    if (!is_yarn && keys_.real(scaling + "attn_factor").value_or(1) != 1) {
      keys_.refuse(fmt::format("it has {} without YaRN", scaling + "attn_factor"));
    }
    if (type == model::rope_scaling_name(RopeScalingKind::kNone)) return;
    if (type == model::rope_scaling_name(RopeScalingKind::kLinear)) {
      if (factor == 0 || factor == 1) return;
      rope.scaling = RopeScalingKind::kLinear;
      rope.factor = factor;
      return;
    }
    if (!is_yarn) {
      keys_.refuse(fmt::format("its rope scaling is {}, which '{}' is not run with",
                               base::escape_controls(type), architecture_.name));
    }
    if (factor == 0) keys_.miss(scaling + "factor");
    rope.scaling = RopeScalingKind::kYarn;
    rope.factor = factor;
    read_yarn(scaling);
  }

  void read_yarn(const std::string& scaling) {
    model::RopeConfig& rope = config_.rope;
    rope.original_context = keys_.whole(scaling + "original_context_length").value_or(0);
    rope.extrapolation_factor = keys_.real(scaling + "yarn_ext_factor");
    rope.beta_fast = keys_.positive(scaling + "yarn_beta_fast");
    rope.beta_slow = keys_.positive(scaling + "yarn_beta_slow");
    rope.attention_factor = keys_.real(scaling + "attn_factor").value_or(1) *
                            model::runtime_attention_factor(rope.factor);
  }

  void read_divisors() {
    const gguf::TensorInfo* const found = reader_.find(model::kRopeFactorsName);
    if (found == nullptr || !architecture_.rope_factors) return;
    if (found->n_elems != static_cast<std::uint64_t>(config_.head_dim) / 2) {
      keys_.reject(fmt::format("{} has {} values for heads of {} dimensions", found->name,
                               found->n_elems, config_.head_dim));
    }
    require_real_values(*found, keys_);
    config_.rope.divisors.resize(found->n_elems);
    read_values(reader_, *found, 0, config_.rope.divisors);
    if (std::ranges::any_of(config_.rope.divisors, [](float x) { return x <= 0; })) {
      keys_.reject(fmt::format("{} has a value that is not above 0", found->name));
    }
  }

  const gguf::Reader& reader_;
  const model::Architecture& architecture_;
  const GgufKeys keys_;
  model::ModelConfig config_;
};

}  // namespace

const model::Architecture& gguf_architecture(const gguf::Reader& reader) {
  const GgufKeys keys(reader.metadata(), reader.files().front());
  const std::optional<std::string> name = keys.text(gguf::kArchitectureKey);
  if (!name) keys.miss(gguf::kArchitectureKey);
  std::vector<std::string_view> known;
  for (const model::Architecture* row : model::architectures()) {
    if (row->name == *name) return *row;
    known.push_back(row->name);
  }
  keys.refuse(fmt::format("its architecture is '{}'; known are {}", base::escape_controls(*name),
                          fmt::join(known, ", ")));
}

model::ModelConfig gguf_config(const gguf::Reader& reader,
                               const model::Architecture& architecture) {
  return ConfigReader(reader, architecture).read();
}

}  // namespace lq::subject

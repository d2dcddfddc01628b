#include "tools/lq-inspect/hf_facts.h"

#include <fmt/format.h>

#include "common/base/checked.h"
#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/input_file.h"
#include "common/model/implied_weights.h"
#include "common/safetensors/model.h"
#include "common/text/vocabulary.h"

namespace lq::inspect {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

const model::Architecture* known_architecture(const model::ModelConfig& config,
                                              std::vector<std::string>& notes) {
  try {
    return &model::find_architecture(config);
  } catch (const base::UnsupportedError& error) {
    notes.push_back(fmt::format("lq-quant-gguf does not convert this model: {}", error.why()));
    return nullptr;
  }
}

/// Headers whose data are missing may claim any size.
void require_countable(const tensor::TensorSource& weights, const fs::path& dir) {
  base::Checked total = 0;
  for (const tensor::TensorInfo& tensor : weights.tensors()) {
    total += tensor.n_bytes;
    if (!total.above(model::kMaxWeightBytes)) continue;
    throw base::ValidationError(
        fmt::format("cannot use the weights in {}", base::shown(dir)),
        fmt::format("with tensor `{}` they claim more than {}", base::escape_controls(tensor.name),
                    base::format_bytes(model::kMaxWeightBytes)),
        "fetch the safetensors files again");
  }
}

/// The weights as far as they are there: files, else what the configuration implies, else nothing
/// (nullptr).
std::unique_ptr<tensor::TensorSource> open_weights(const fs::path& dir,
                                                   const model::ModelConfig& config,
                                                   const model::Architecture* architecture,
                                                   std::vector<std::string>& notes) {
  try {
    auto weights = safetensors::open_model(dir, safetensors::Data::kMayBeMissing);
    require_countable(*weights, dir);
    notes.insert(notes.end(), weights->warnings().begin(), weights->warnings().end());
    return weights;
  } catch (const base::ModelNotFoundError& error) {
    notes.push_back(error.why());
  }
  if (architecture == nullptr) return nullptr;
  notes.push_back("tensors, parameters and sizes are what config.json implies");
  return model::implied_weights(dir, config, *architecture);
}

Hyperparameters hyperparameters_of(const model::ModelConfig& config) {
  Hyperparameters numbers{.layers = config.n_layers,
                          .hidden_size = config.hidden,
                          .feed_forward_size = config.ffn,
                          .heads = config.n_heads,
                          .kv_heads = config.n_kv_heads,
                          .head_dim = config.head_dim,
                          .vocabulary_size = config.vocab,
                          .context_length = config.context,
                          .sliding_window = config.windows.size,
                          .experts = config.n_experts,
                          .sliding_window_layers = 0,
                          .rope = {},
                          .tied_embeddings = config.tied_embeddings};
  const std::int64_t n_windowed = config.windows.n_layers(config.n_layers);
  if (n_windowed < config.n_layers) numbers.sliding_window_layers = n_windowed;
  numbers.rope.base = config.rope.base;
  numbers.rope.scaling = model::rope_scaling_name(config.rope.scaling);
  if (config.rope.scaling != model::RopeScalingKind::kNone && config.rope.factor > 0) {
    numbers.rope.factor = config.rope.factor;
  }
  numbers.rope.original_context = config.rope.original_context;
  return numbers;
}

ordered_json tokenizer_of(const fs::path& dir, const model::ModelConfig& config,
                          std::vector<std::string>& notes) {
  try {
    const text::Vocabulary vocabulary = text::read_vocabulary(dir, config.vocab, {});
    const bool byte_level = vocabulary.kind == text::VocabularyKind::kByteLevelBpe;
    ordered_json json;
    json["kind"] = byte_level ? "byte-level BPE" : "SentencePiece BPE";
    json["pre"] = vocabulary.pre.empty() ? "unknown" : vocabulary.pre;
    json["tokens"] = vocabulary.tokens.size();
    if (byte_level) json["merges"] = vocabulary.merges.size();
    for (const auto& [name, id] : vocabulary.special_ids) json[name] = id;
    json["chat_template"] = !vocabulary.chat_template.empty();
    return json;
  } catch (const base::ModelNotFoundError&) {
    return nullptr;
  } catch (const base::QuantizationError& error) {
    notes.push_back(fmt::format("tokenizer: {}", error.why()));
    return {{"kind", "not understood"}};
  }
}

ordered_json quantization_of(const model::ModelConfig& config) {
  const std::string method = model::quantization_method(config);
  if (method.empty()) return nullptr;
  ordered_json json = {{"method", method}};
  const auto found = config.raw.find("quantization_config");
  if (found != config.raw.end() && found->is_object()) {
    for (const auto& [key, value] : found->items()) {
      if (!value.is_structured() && key != "quant_method") json[key] = value;
    }
  }
  return json;
}

void take_tensors(const tensor::TensorSource& weights, ModelFacts& facts) {
  for (const tensor::TensorInfo& tensor : weights.tensors()) {
    const bool one_file = weights.files().size() < 2;
    facts.tensors.push_back({tensor.name,
                             std::string(tensor::dtype_row(tensor.dtype).name),
                             {tensor.shape.begin(), tensor.shape.end()},
                             tensor.n_bytes,
                             one_file ? "" : weights.files()[tensor.file].filename().string()});
    facts.tensor_bytes += tensor.n_bytes;
    facts.parameters += tensor.n_elems;
  }
  facts.n_files = weights.files().size();
  for (const fs::path& file : weights.files()) facts.file_bytes += io::InputFile(file).size();
  if (weights.files().empty()) facts.file_bytes = facts.tensor_bytes;
}

}  // namespace

ModelFacts hf_facts(const fs::path& dir) {
  ModelFacts facts;
  facts.storage = Storage::kHuggingFace;
  facts.path = dir.string();
  facts.name = model::model_name(dir);
  model::Checkpoint checkpoint;
  checkpoint.dir = dir;
  checkpoint.config = model::read_config(dir);
  const model::ModelConfig& config = checkpoint.config;
  facts.architecture = config.architecture.empty() ? config.model_type : config.architecture;
  checkpoint.architecture = known_architecture(config, facts.notes);
  checkpoint.weights = open_weights(dir, config, checkpoint.architecture, facts.notes);
  if (checkpoint.weights) {
    take_tensors(*checkpoint.weights, facts);
    if (checkpoint.architecture != nullptr) facts.parameters = checkpoint.n_parameters();
  }
  facts.hyperparameters = facts_of(hyperparameters_of(config));
  facts.tokenizer = tokenizer_of(dir, config, facts.notes);
  facts.quantization = quantization_of(config);
  facts.metadata = ordered_json(config.raw);
  return facts;
}

model::Checkpoint open_for_estimate(const fs::path& dir) {
  model::Checkpoint checkpoint;
  checkpoint.dir = dir;
  checkpoint.config = model::read_config(dir);
  checkpoint.architecture = &model::find_architecture(checkpoint.config);
  std::vector<std::string> said_already;
  checkpoint.weights = open_weights(dir, checkpoint.config, checkpoint.architecture, said_already);
  return checkpoint;
}

}  // namespace lq::inspect

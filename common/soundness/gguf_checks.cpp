#include "common/soundness/gguf_checks.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>
#include <unordered_set>

#include "common/base/text.h"
#include "common/gguf/format.h"
#include "common/model/gguf_rows.h"
#include "common/model/rope_factors.h"
#include "common/soundness/tokenizer_checks.h"
#include "common/soundness/value_checks.h"
#include "common/subject/gguf_config.h"
#include "common/subject/gguf_values.h"

namespace lq::soundness {
namespace {

constexpr const char* kMetadata = "metadata";
constexpr const char* kTensors = "tensors";

/// What llama.cpp's loader refuses a file of these families without.
constexpr std::array<std::string_view, 6> kRequired = {
    "block_count",         "context_length",       "embedding_length",
    "feed_forward_length", "attention.head_count", "attention.layer_norm_rms_epsilon"};
// So many of them belong to every architecture.
constexpr std::size_t kOfAll = 3;

/// Values of general.type that stand for something else than a model.
constexpr std::array<std::string_view, 3> kOtherKinds = {"adapter", "imatrix", "mmproj"};

/// A number that a dimension of a tensor repeats.
struct SizeRow {
  std::string_view key, tensor;
  std::size_t dimension;
};
constexpr std::array kSizes = {
    SizeRow{"embedding_length", "token_embd.weight", 0},
    SizeRow{"vocab_size", "token_embd.weight", 1},
    SizeRow{"feed_forward_length", "blk.0.ffn_down.weight", 0},
};

/// Which has a default, often a wrong one.
struct Default {
  std::string_view key, why;
};
constexpr std::array kDefaults = {
    Default{"attention.head_count_kv", "runtimes then take as many key-value heads as heads"},
    Default{"rope.freq_base", "runtimes then rotate with a base of 10000"},
};

/// The tensors that the family has, one after the other.
class TensorSet {
 public:
  TensorSet(const gguf::Reader& reader, const model::Architecture& architecture, Report& report)
      : reader_(reader), architecture_(architecture), report_(report) {}

  void check(const model::ModelConfig& config) {
    for (const model::TensorRow& row : architecture_.tensors) {
      const int n = row.per_layer() ? static_cast<int>(config.n_layers) : 1;
      for (int i = 0; i < n; ++i) check_row(row, row.per_layer() ? i : -1, config);
    }
    for (const gguf::TensorInfo& tensor : reader_.tensors()) check_used(tensor);
  }

 private:
  void check_row(const model::TensorRow& row, int layer, const model::ModelConfig& config) {
    tensor::Shape shape = {extent_of(row.rows, config)};
    const bool is_bias_required = row.bias == model::Bias::kRequired;
    if (row.bias != model::Bias::kNone) {
      check_tensor(model::gguf_name(row, layer, true), shape, is_bias_required);
    }
    if (row.columns != model::Extent::kNone) shape.push_back(extent_of(row.columns, config));
    check_tensor(model::gguf_name(row, layer, false), shape,
                 row.presence == model::Presence::kRequired);
  }

  void check_tensor(const std::string& name, const tensor::Shape& shape, bool is_required) {
    const gguf::TensorInfo* const found = reader_.find(name);
    if (found == nullptr) {
      if (!is_required) return;
      report_.fault(kTensors, name, "a tensor is missing",
                    fmt::format("the model needs it, of dimensions [{}]",
                                fmt::join(shape.rbegin(), shape.rend(), ", ")),
                    kLlamaCpp);
      return;
    }
    used_.insert(found);
    const bool fits = std::equal(shape.rbegin(), shape.rend(), found->dims.begin(),
                                 found->dims.end(), [](std::int64_t extent, std::uint64_t dim) {
                                   return static_cast<std::uint64_t>(extent) == dim;
                                 });
    if (!fits) {
      report_.fault(kTensors, name, "a tensor has other dimensions than the metadata imply",
                    fmt::format("it has [{}], not [{}]", fmt::join(found->dims, ", "),
                                fmt::join(shape.rbegin(), shape.rend(), ", ")),
                    kLlamaCpp);
      return;
    }
    const bool is_vector = shape.size() == 1;
    if (is_vector && codec::codec(found->type).quantized) {
      report_.fault(kTensors, name, "a vector is quantized",
                    fmt::format("it is {}; runtimes take norms and biases as floats",
                                codec::codec(found->type).name),
                    kLlamaCpp);
      return;
    }
    report_.attempt(kTensors, kLlamaCpp, [&] {
      subject::require_real_values(*found, {reader_.metadata(), reader_.files().front()});
    });
  }

  void check_used(const gguf::TensorInfo& tensor) {
    const bool is_divisors = architecture_.rope_factors && tensor.name == model::kRopeFactorsName;
    if (used_.contains(&tensor) || is_divisors) return;
    if (tensor.name.ends_with(".bias") && tensor.name.starts_with("blk.")) {
      // Optional in runtimes, and not run here.
      report_.error(kTensors,
                    base::UnsupportedError(
                        fmt::format("cannot judge {}", base::shown(reader_.files().front())),
                        fmt::format("'{}' has no place here for its tensor {}", architecture_.name,
                                    base::escape_controls(tensor.name)),
                        "judge it with llama.cpp"));
      return;
    }
    report_.fault(kTensors, base::escape_controls(tensor.name),
                  "a tensor is none that models of this kind have",
                  "llama.cpp refuses a file with other tensors than it asks for", kLlamaCpp);
  }

  const gguf::Reader& reader_;
  const model::Architecture& architecture_;
  Report& report_;
  std::unordered_set<const gguf::TensorInfo*> used_;
};

}  // namespace

void GgufChecks::check_headers(Report& report) {
  for (const std::string& warning : reader_.warnings()) {
    report.remark("container", "", warning, "readers pass over it");
  }
  const gguf::Metadata& metadata = reader_.metadata();
  const auto* const kind = metadata.get<std::string>("general.type");
  if (kind != nullptr && std::ranges::find(kOtherKinds, *kind) != kOtherKinds.end()) {
    report.error(
        kMetadata,
        base::UnsupportedError(fmt::format("cannot judge {}", base::shown(reader_.files().front())),
                               fmt::format("it holds no model: its general.type is '{}'", *kind),
                               "give the GGUF of a model"));
    return;
  }
  report.attempt(kMetadata, kLlamaCpp,
                 [&] { architecture_ = &subject::gguf_architecture(reader_); });
  const auto* const name = metadata.get<std::string>(gguf::kArchitectureKey);
  if (name != nullptr) {
    check_keys(*name, report);
    compare_sizes(*name, report);
  }
  if (architecture_ != nullptr && !report.has_fault(kMetadata)) check_tensors(report);
  check_gguf_tokenizer(metadata, reader_.files().front(), n_tokens(), report);
}

void GgufChecks::check_keys(std::string_view architecture, Report& report) const {
  const gguf::Metadata& metadata = reader_.metadata();
  const auto key = [&](std::string_view name) { return fmt::format("{}.{}", architecture, name); };
  // Of others only what all have: an architecture whose keys are not there is a damaged name.
  const std::span<const std::string_view> required = kRequired;
  for (const std::string_view name : architecture_ == nullptr ? required.first(kOfAll) : required) {
    if (metadata.find(key(name)) != nullptr) continue;
    report.fault(kMetadata, base::escape_controls(key(name)), "a key is missing",
                 "llama.cpp refuses models of this kind without it", kLlamaCpp);
  }
  if (architecture_ == nullptr) return;
  for (const Default& row : kDefaults) {
    if (metadata.find(key(row.key)) != nullptr) continue;
    report.remark(kMetadata, key(row.key), "a key is missing", std::string(row.why));
  }
  const bool is_quantized = std::ranges::any_of(
      reader_.tensors(), [](const auto& tensor) { return codec::codec(tensor.type).quantized; });
  if (is_quantized && metadata.find("general.quantization_version") == nullptr) {
    report.remark(kMetadata, "general.quantization_version", "a key is missing",
                  "files with quantized tensors have it");
  }
}

/// Of any architecture, and also where the rest of the metadata describes a model that is not run.
void GgufChecks::compare_sizes(std::string_view architecture, Report& report) const {
  const auto stated = [&](std::string_view name) {
    const auto* const value =
        reader_.metadata().get<std::uint32_t>(fmt::format("{}.{}", architecture, name));
    return value == nullptr ? std::uint64_t{0} : *value;
  };
  const auto fault = [&](std::string_view name, std::string why) {
    report.fault(kMetadata, base::escape_controls(fmt::format("{}.{}", architecture, name)),
                 "a key contradicts the tensors", std::move(why), kLlamaCpp);
  };
  for (const SizeRow& row : kSizes) {
    const gguf::TensorInfo* const tensor = reader_.find(row.tensor);
    if (tensor == nullptr || tensor->dims.size() <= row.dimension || stated(row.key) == 0 ||
        stated(row.key) == tensor->dims[row.dimension]) {
      continue;
    }
    fault(row.key, fmt::format("it is {}, and {} has {}", stated(row.key), row.tensor,
                               tensor->dims[row.dimension]));
  }
  const bool is_dense = reader_.find("blk.0.ffn_up.weight") != nullptr &&
                        reader_.find("blk.0.ffn_up_exps.weight") == nullptr;
  if (stated("expert_count") > 0 && is_dense) fault("expert_count", "there are no experts");
  const std::uint64_t heads = stated("attention.head_count");
  std::uint64_t head = stated("attention.key_length");
  if (head == 0 && heads > 0) head = stated("embedding_length") / heads;
  const std::uint64_t rotated = stated("rope.dimension_count");
  if (head > 0 && (rotated > head || rotated % 2 != 0)) {
    fault("rope.dimension_count",
          fmt::format("it is {}, and heads have {} dimensions", rotated, head));
  }
}

void GgufChecks::check_tensors(Report& report) {
  std::optional<model::ModelConfig> config;
  report.attempt(kMetadata, kLlamaCpp,
                 [&] { config = subject::gguf_config(reader_, *architecture_); });
  if (config) TensorSet(reader_, *architecture_, report).check(*config);
}

std::uint64_t GgufChecks::n_tokens() const {
  const gguf::TensorInfo* const embeddings = reader_.find("token_embd.weight");
  return embeddings != nullptr && embeddings->dims.size() == 2 ? embeddings->dims[1] : 0;
}

void GgufChecks::add_segments(std::vector<FileJob>& jobs) {
  for (const gguf::TensorInfo& tensor : reader_.tensors()) {
    const codec::Codec& codec = codec::codec(tensor.type);
    std::vector<Segment>& segments = jobs[tensor.file].segments;
    if (const auto plain = codec::plain_type(tensor.type)) {
      ValueTally& tally = floats_.emplace_back(*plain);
      segments.push_back({tensor.offset, tensor.n_bytes, codec.block_bytes, &tally});
      float_tensors_.emplace_back(&tensor, &tally);
    } else if (codec.quantized && !tensor.dims.empty() &&
               !codec::scale_fields(tensor.type).empty()) {
      const std::uint64_t row_bytes = codec.bytes_for(tensor.dims[0]);
      BlockTally& tally = blocks_.emplace_back(codec, row_bytes);
      segments.push_back({tensor.offset, tensor.n_bytes, row_bytes, &tally});
      block_tensors_.emplace_back(&tensor, &tally);
    }
  }
}

void GgufChecks::judge(Report& report) const {
  for (const auto& [tensor, tally] : float_tensors_) {
    judge_floats(base::escape_controls(tensor->name), tally->magnitudes(), report);
  }
  for (const auto& [tensor, tally] : block_tensors_) {
    judge_blocks(base::escape_controls(tensor->name), *tally, report);
  }
}

}  // namespace lq::soundness

#include <algorithm>
#include <cassert>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/model/gguf_model.h"
#include "common/model/gguf_rows.h"
#include "common/model/rope_factors.h"
#include "common/model/sound_weights.h"
#include "common/model/tensor_map.h"
#include "common/tensor/convert.h"

namespace lq::model {
namespace {

GgufTensor describe(const MappedTensor& mapped, const ModelConfig& config) {
  GgufTensor tensor;
  tensor.name = gguf_name(*mapped.row, mapped.layer, mapped.is_bias);
  tensor.role = mapped.row->role;
  tensor.layer = mapped.layer;
  for (auto extent = mapped.shape.rbegin(); extent != mapped.shape.rend(); ++extent) {
    tensor.dims.push_back(static_cast<std::uint64_t>(*extent));
  }
  tensor.source = mapped.found;
  tensor.interleave_heads = interleaved_heads(*mapped.row, config);
  tensor.is_matrix = tensor.dims.size() == 2;
  return tensor;
}

}  // namespace

std::uint64_t GgufTensor::n_rows() const {
  std::uint64_t n = 1;
  for (std::size_t i = 1; i < dims.size(); ++i) n *= dims[i];
  return n;
}

std::uint64_t GgufTensor::source_row(std::uint64_t row) const {
  const std::uint64_t n = is_matrix ? n_rows() : dims[0];
  return interleave_heads > 0 ? checkpoint_row(row, n, interleave_heads) : row;
}

std::vector<GgufTensor> gguf_tensors(const Checkpoint& checkpoint) {
  const TensorMap map = map_tensors(checkpoint);
  require_sound(checkpoint, map);
  std::vector<GgufTensor> tensors;
  for (const MappedTensor& mapped : map.used) {
    tensors.push_back(describe(mapped, checkpoint.config));
  }
  if (checkpoint.config.rope.scaling == RopeScalingKind::kLlama3) {
    GgufTensor factors;
    factors.name = kRopeFactorsName;
    factors.role = TensorRole::kRopeFreqs;
    factors.generated = llama3_rope_factors(checkpoint.config);
    factors.dims = {factors.generated.size()};
    tensors.push_back(std::move(factors));
  }
  std::ranges::sort(tensors, [](const GgufTensor& a, const GgufTensor& b) {
    return std::tie(a.layer, a.name) < std::tie(b.layer, b.name);
  });
  return tensors;
}

std::vector<std::string> gguf_warnings(const Checkpoint& checkpoint) {
  const TensorMap map = map_tensors(checkpoint);
  std::vector<std::string> warnings;
  if (!map.left_over.empty()) {
    std::vector<std::string> names;
    for (const tensor::TensorInfo* info : map.left_over) {
      names.push_back(base::escape_controls(info->name));
    }
    warnings.push_back(
        fmt::format("{} not part of {} and left out: {}",
                    names.size() == 1 ? "a tensor is" : fmt::format("{} tensors are", names.size()),
                    checkpoint.architecture->name, listed(names, ", ")));
  }
  if (map.output_is_missing) {
    warnings.emplace_back(
        "there is no output matrix (lm_head) though config.json does not say that it is tied; the "
        "embeddings "
        "serve as output");
  }
  const ModelConfig& config = checkpoint.config;
  if (config.windows.size > 0 && config.windows.size < config.context) {
    const std::int64_t n = config.windows.n_layers(config.n_layers);
    warnings.push_back(fmt::format(
        "the model attends to the last {} tokens only{}; the runtime attends to all of its context "
        "of {}",
        config.windows.size,
        n < config.n_layers ? fmt::format(" in {} of {} layers", n, config.n_layers) : "",
        config.context));
  }
  if (config.rope.scaling == RopeScalingKind::kDynamic) {
    warnings.emplace_back(
        "the model's dynamic rope scaling has no counterpart in the runtime; it is good for the "
        "original context");
  }
  constexpr double kFast = 32, kSlow = 1;  // what the runtime takes
  const RopeConfig& rope = config.rope;
  if (rope.scaling == RopeScalingKind::kYarn &&
      (rope.beta_fast.value_or(kFast) != kFast || rope.beta_slow.value_or(kSlow) != kSlow)) {
    warnings.push_back(fmt::format(
        "the runtime stretches YaRN with beta_fast {} and beta_slow {}, the model with {} and {}",
        kFast, kSlow, rope.beta_fast.value_or(kFast), rope.beta_slow.value_or(kSlow)));
  }
  if (rope.scaling == RopeScalingKind::kYarn && !rope.whole_pairs) {
    warnings.emplace_back(
        "the runtime begins and ends the blend of YaRN at whole pairs of dimensions, the model "
        "between them");
  }
  return warnings;
}

std::vector<float> read_vector(const Checkpoint& checkpoint, const GgufTensor& tensor) {
  assert(!tensor.is_matrix);
  if (tensor.source == nullptr) return tensor.generated;
  std::vector<std::byte> bytes(tensor.source->n_bytes);
  checkpoint.weights->read(*tensor.source, 0, bytes);
  std::vector<float> stored(tensor.source->n_elems);
  tensor::widen_to_f32(tensor.source->dtype, bytes, stored);
  if (tensor.interleave_heads == 0) return stored;
  std::vector<float> values(stored.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = stored[tensor.source_row(i)];
  }
  return values;
}

}  // namespace lq::model

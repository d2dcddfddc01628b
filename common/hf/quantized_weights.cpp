#include "common/hf/quantized_weights.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/model/tensor_map.h"
#include "common/tensor/convert.h"

namespace lq::hf {
namespace {

constexpr std::string_view kWeight = ".weight";

std::string text_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

const Format* format_of(const model::ModelConfig& config) {
  const auto found = config.raw.find("quantization_config");
  if (found == config.raw.end() || !found->is_object()) return nullptr;
  const std::string method = text_of(*found, "quant_method");
  const std::string kind = text_of(*found, "checkpoint_format");
  return find_format(method == "gptq" && !kind.empty() ? kind : method);
}

QuantizedWeights::QuantizedWeights(const model::Checkpoint& checkpoint)
    : checkpoint_(checkpoint), format_(format_of(checkpoint.config)) {
  if (format_ == nullptr) fail("config.json names no format of quantized weights that is known");
  const model::TensorMap map = model::map_tensors(checkpoint);
  for (const model::MappedTensor& tensor : map.used) {
    tensors_.emplace(forward::WeightKey{tensor.row->role, tensor.layer, tensor.is_bias},
                     find(tensor));
  }
  if (!map.output_is_tied) return;
  const forward::WeightKey output{model::TensorRole::kOutput};
  if (!checkpoint.config.tied_embeddings) {
    for (const model::TensorRow& row : checkpoint.architecture->tensors) {
      if (row.role != model::TensorRole::kOutput) continue;
      model::MappedTensor tensor{&row, -1, false, std::string(row.hf) + std::string(kWeight), {}};
      tensor.shape = {extent_of(row.rows, checkpoint.config),
                      extent_of(row.columns, checkpoint.config)};
      tensors_.emplace(output, find(tensor));
      return;
    }
  }
  tensors_.emplace(output, tensors_.at({model::TensorRole::kTokenEmbedding}));
}

void QuantizedWeights::fail(std::string why) const {
  throw base::ValidationError(
      fmt::format("cannot use the weights of {}", base::shown(checkpoint_.dir)), std::move(why),
      "quantize the model again, or fetch it again");
}

QuantizedWeights::Stored QuantizedWeights::find(const model::MappedTensor& tensor) const {
  Stored stored{tensor.shape, tensor.found};
  if (tensor.found != nullptr) {
    if (tensor.found->shape != tensor.shape) {
      fail(fmt::format("{} has another shape than config.json implies",
                       base::escape_controls(tensor.hf)));
    }
    const tensor::DTypeRow& dtype = tensor::dtype_row(tensor.found->dtype);
    if (!dtype.widens) {
      fail(fmt::format("{} is of type {}, which holds no real numbers",
                       base::escape_controls(tensor.hf), dtype.name));
    }
    return stored;
  }
  stored.module = tensor.hf.substr(0, tensor.hf.size() - kWeight.size());
  std::optional<Scheme> scheme;
  if (tensor.shape.size() == 2) {
    scheme = format_->scheme_of(*checkpoint_.weights, stored.module,
                                static_cast<std::size_t>(tensor.shape[1]));
  }
  if (!scheme) {
    fail(fmt::format("there is neither {} nor what {} has in its place",
                     base::escape_controls(tensor.hf), format_->name));
  }
  stored.scheme = *scheme;
  return stored;
}

const QuantizedWeights::Stored* QuantizedWeights::find(const forward::WeightKey& key) const {
  const auto found = tensors_.find(key);
  return found == tensors_.end() ? nullptr : &found->second;
}

tensor::Shape QuantizedWeights::shape(const forward::WeightKey& key) const {
  const Stored* const stored = find(key);
  return stored == nullptr ? tensor::Shape() : stored->shape;
}

QuantizedWeights::Decoded QuantizedWeights::decoded(const forward::WeightKey& key,
                                                    const Stored& stored) const {
  const std::lock_guard lock(mutex_);
  const auto found = decoded_.find(key);
  if (found != decoded_.end()) return found->second;
  std::erase_if(decoded_, [&](const auto& entry) { return entry.first.layer != key.layer; });
  auto matrix = std::make_shared<const tensor::QuantizedMatrix>(
      format_->decode(*checkpoint_.weights, stored.module, stored.scheme));
  if (static_cast<std::int64_t>(matrix->rows) != stored.shape[0] ||
      static_cast<std::int64_t>(matrix->columns) != stored.shape[1]) {
    fail(fmt::format("{} has another shape than config.json implies",
                     base::escape_controls(stored.module)));
  }
  return decoded_.emplace(key, std::move(matrix)).first->second;
}

void QuantizedWeights::read(const forward::WeightKey& key, std::size_t first,
                            std::span<float> out) const {
  const Stored* const stored = find(key);
  assert(stored != nullptr);
  if (stored->plain != nullptr) {
    const tensor::TensorInfo& tensor = *stored->plain;
    const auto size = static_cast<std::size_t>(tensor::dtype_row(tensor.dtype).bits / 8);
    std::vector<std::byte> bytes(out.size() * size);
    checkpoint_.weights->read(tensor, first * size, bytes);
    tensor::widen_to_f32(tensor.dtype, bytes, out);
    if (std::ranges::all_of(out, [](float x) { return std::isfinite(x); })) return;
    fail(fmt::format("{} has values that are not finite", base::escape_controls(tensor.name)));
  }
  const Decoded matrix = decoded(key, *stored);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = matrix->value((first + i) / matrix->columns, (first + i) % matrix->columns);
  }
}

}  // namespace lq::hf

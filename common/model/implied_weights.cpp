#include "common/model/implied_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "common/base/checked.h"
#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/model/tensor_map.h"
#include "common/safetensors/index.h"

namespace lq::model {
namespace {

class ImpliedWeights final : public tensor::TensorSource {
 public:
  ImpliedWeights(std::filesystem::path dir, std::vector<tensor::TensorInfo> tensors)
      : dir_(std::move(dir)), tensors_(std::move(tensors)) {}

  std::span<const tensor::TensorInfo> tensors() const override { return tensors_; }
  std::span<const std::filesystem::path> files() const override { return {}; }
  void read(const tensor::TensorInfo& tensor, std::uint64_t, std::span<std::byte>) const override {
    throw base::ModelNotFoundError(
        fmt::format("cannot read {}", base::escape_controls(tensor.name)),
        fmt::format("{} holds no weights", base::shown(dir_)), "fetch the safetensors files too");
  }
  std::uint64_t bytes_read() const override { return 0; }

 private:
  std::filesystem::path dir_;
  std::vector<tensor::TensorInfo> tensors_;
};

tensor::DType stated_dtype(const ModelConfig& config) {
  if (config.torch_dtype == "float16") return tensor::DType::kF16;
  if (config.torch_dtype == "float32") return tensor::DType::kF32;
  return tensor::DType::kBF16;
}

/// Collects the tensors. Throws ValidationError where their sizes cannot be those of a model.
class ImpliedTensors {
 public:
  explicit ImpliedTensors(const ModelConfig& config)
      : config_(config), dtype_(stated_dtype(config)) {}

  void add(std::string name, tensor::Shape shape) {
    tensor::TensorInfo info{.name = std::move(name), .dtype = dtype_, .shape = std::move(shape)};
    base::Checked n_elems = 1;
    for (const std::int64_t extent : info.shape) n_elems *= static_cast<std::uint64_t>(extent);
    const base::Checked n_bytes =
        n_elems * (static_cast<std::uint64_t>(tensor::dtype_row(dtype_).bits) / 8);
    total_ += n_bytes;
    if (total_.above(kMaxWeightBytes)) reject(info);
    info.n_elems = *n_elems.value();
    info.n_bytes = *n_bytes.value();
    tensors_.push_back(std::move(info));
  }

  std::vector<tensor::TensorInfo> take() { return std::move(tensors_); }

 private:
  [[noreturn]] void reject(const tensor::TensorInfo& info) const {
    throw base::ValidationError(
        fmt::format("cannot use {}", base::shown(config_.path)),
        fmt::format("the weights that it implies pass {} with {} of shape [{}]",
                    base::format_bytes(kMaxWeightBytes), info.name, fmt::join(info.shape, ", ")),
        "get the file from its source again, or correct the values");
  }

  const ModelConfig& config_;
  tensor::DType dtype_;
  std::vector<tensor::TensorInfo> tensors_;
  base::Checked total_ = 0;
};

std::set<std::string> indexed_names(const std::filesystem::path& dir) {
  std::set<std::string> names;
  const std::filesystem::path path = dir / safetensors::kIndexName;
  std::error_code ignored;
  if (std::filesystem::status(path, ignored).type() == std::filesystem::file_type::not_found) {
    return names;
  }
  for (const auto& [tensor, file] : safetensors::read_index(path).weight_map) names.insert(tensor);
  return names;
}

}  // namespace

std::unique_ptr<tensor::TensorSource> implied_weights(const std::filesystem::path& dir,
                                                      const ModelConfig& config,
                                                      const Architecture& architecture) {
  require_complete(config);
  const std::set<std::string> indexed = indexed_names(dir);
  ImpliedTensors tensors(config);
  const auto add = [&](const TensorRow& row, int layer) {
    const std::int64_t rows = extent_of(row.rows, config);
    tensor::Shape shape = {rows};
    if (row.columns != Extent::kNone) shape.push_back(extent_of(row.columns, config));
    const std::string name = expand_layer(row.hf, layer);
    tensors.add(name + ".weight", shape);
    if (row.bias == Bias::kRequired ||
        (row.bias == Bias::kOptional && indexed.contains(name + ".bias"))) {
      tensors.add(name + ".bias", {rows});
    }
  };
  for (const TensorRow& row : architecture.tensors) {
    const bool is_left_out = row.presence == Presence::kUnlessTied && config.tied_embeddings;
    if (!row.per_layer() && !is_left_out) add(row, -1);
  }
  for (int layer = 0; layer < static_cast<int>(config.n_layers); ++layer) {
    for (const TensorRow& row : architecture.tensors) {
      if (row.per_layer()) add(row, layer);
    }
  }
  return std::make_unique<ImpliedWeights>(dir, tensors.take());
}

}  // namespace lq::model

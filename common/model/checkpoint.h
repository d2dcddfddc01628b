#pragma once
// A model directory as on the Hub: configuration, weights, tokenizer files. Opening it reads headers only.

#include <filesystem>
#include <memory>
#include <string>

#include "common/model/architecture.h"
#include "common/model/model_config.h"
#include "common/stage/plan.h"
#include "common/tensor/tensor_source.h"

namespace lq::model {

struct Checkpoint {
  std::filesystem::path dir;
  ModelConfig config;
  const Architecture* architecture = nullptr;
  std::unique_ptr<tensor::TensorSource> weights;

  /// Exact number of parameters: elements of the distinct weight tensors that the model uses.
  std::uint64_t n_parameters() const;
};

/// Throws ModelNotFoundError, ValidationError, UnsupportedError.
Checkpoint open_checkpoint(const std::filesystem::path& dir);

/// The checkpoint as an input of a plan: its files and the content id (SHA-256 over config, tokenizer files,
/// safetensors headers, file sizes and 4 KiB from start, middle and end of each tensor).
stage::Input describe_input(const Checkpoint& checkpoint);

/// A name for default outputs: the repository's name where a manifest or a models--ns--name path tells it, else the
/// last component of the real path.
std::string model_name(const std::filesystem::path& dir);

}  // namespace lq::model

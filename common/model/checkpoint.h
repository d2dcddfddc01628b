#pragma once
// A model directory as on the Hub: configuration, weights, tokenizer files. Opening it reads
// headers only.

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

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

  /// Exact number of parameters: elements of the distinct weight tensors that the model uses (tied
  /// embeddings count once, left-over tensors not at all).
  std::uint64_t n_parameters() const;
};

/// Throws ModelNotFoundError (no such directory, no config.json, no weights), ValidationError (what
/// is there is broken), UnsupportedError (another architecture; known before any weight file is
/// opened).
Checkpoint open_checkpoint(const std::filesystem::path& dir);

/// Names of files that belong to a model beside its weights: configuration, tokenizer, chat
/// templates, model card.
std::span<const std::string_view> companion_names();

/// The files of a model directory that a conversion may read beside the weights: configuration,
/// tokenizer, chat templates, model card. Only those that exist, absolute, in a fixed order.
/// Throws ModelNotFoundError when a relative `dir` has no full path because the current directory
/// is gone.
std::vector<std::filesystem::path> companion_files(const std::filesystem::path& dir);

/// The checkpoint as an input (role "model") of a plan: its files and the content id (SHA-256 over
/// companion files, safetensors headers, file sizes and 4 KiB from start, middle and end of each
/// tensor). `origin` is carried over from the directory's manifest; in the Hub's cache the path
/// tells it where there is no manifest.
stage::Input describe_input(const Checkpoint& checkpoint);

/// A name for default outputs: the repository's name where a manifest or a models--ns--name path
/// tells it, else the last component of the real path.
std::string model_name(const std::filesystem::path& dir);

}  // namespace lq::model

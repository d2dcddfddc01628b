#pragma once
// Every file of a quantized model directory with its exact size, before any work is done:
//
//   model.safetensors           or model-00001-of-0000n.safetensors with an index, when the tensors
//                               are more than the limit of a file
//   config.json                 with quantization_config, and quantize_config.json for GPTQ
//   tokenizer and other files   as they are in the source
//   README.md                   made last, of a size known only then
//
// A group of linears that one unit of work makes is one range of one file, and its tensors follow
// each other widest elements first, so that all are aligned. Groups and copied tensors whose bytes
// are a multiple of 8 come first, the copied ones in front; the others behind them, and a new file is
// begun where one would not be aligned.
//
// Every tensor of the source that is not quantized is there. What the model's family knows (norms,
// biases, embeddings, linears that stay float) is in the float type of the result; tables of the
// rotation and tensors that the family does not know (draft heads, towers) stay as they are. A stored
// copy of tied embeddings is left out.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "common/hf/format.h"
#include "common/model/checkpoint.h"
#include "common/safetensors/shards.h"
#include "common/stage/plan.h"

namespace lq::hf {

struct DirectoryRequest {
  const model::Checkpoint* checkpoint = nullptr;
  const Format* format = nullptr;
  QuantizationFacts facts;  // other_linears are found here
  /// Positions in facts.modules that one unit makes together. Each quantized module is in one group;
  /// modules that stay float are skipped.
  std::vector<std::vector<std::size_t>> groups;
  /// Per group, names of float tensors of the source that its unit makes too, rather than copies;
  /// none: no group has any.
  std::vector<std::vector<std::string>> group_floats = {};
  tensor::DType float_dtype = tensor::DType::kBF16;  // or kF16
  std::uint64_t max_shard_bytes = safetensors::kShardBytes;
};

/// The header of a weight file.
struct HeaderSection {
  stage::Extent place;
  std::vector<std::byte> bytes;
};

/// The tensors of a quantized module in the bytes of its group.
struct ModulePlace {
  std::size_t module = 0;              // position in facts.modules
  std::vector<std::uint64_t> offsets;  // in the order of Format::tensors()
};

/// A float tensor in the bytes of its group.
struct FloatPlace {
  std::string name;
  std::uint64_t offset = 0, n = 0;  // elements
};

struct GroupSection {
  stage::Extent place;  // of no bytes when nothing is in it
  std::vector<ModulePlace> modules;
  std::vector<FloatPlace> floats;  // in the order of the request
};

/// Elements [first, first + n) of a tensor of the source.
struct CopiedPiece {
  stage::Extent place;
  const tensor::TensorInfo* source = nullptr;
  tensor::DType stored = tensor::DType::kBF16;
  bool is_float = false;  // of the model itself: finite values, checked
  std::uint64_t first = 0, n = 0;
};

struct TextSection {
  stage::Extent place;
  std::string text;
};

struct FileSection {
  stage::Extent place;
  std::filesystem::path source;
};

struct DirectoryLayout {
  std::vector<stage::OutputFile> files;  // paths relative to the directory
  std::vector<HeaderSection> headers;
  std::vector<GroupSection> groups;  // as requested
  std::vector<CopiedPiece> pieces;
  std::vector<TextSection> texts;
  std::vector<FileSection> copied_files;
  std::size_t readme = 0;                    // of open size
  std::vector<std::string> unknown_tensors;  // copied as they are, names in the order of the source
  std::uint64_t weight_bytes = 0;            // of all tensors
};

/// Reads headers and small files only. Throws ValidationError for a config.json that cannot be used,
/// UnsupportedError as Format::config() and safetensors::lay_out() do. REQUIRES: the weights are
/// sound (model::require_sound), each scheme passes Format::shape_problem().
DirectoryLayout lay_out_directory(const DirectoryRequest& request);

/// What one unit makes: the matrices of its modules and the values of its float tensors, in the
/// order of the section.
struct GroupContents {
  std::vector<tensor::QuantizedMatrix> matrices;
  std::vector<std::vector<float>> floats = {};
};
/// The bytes of a group. Throws UnsupportedError for a value that the float type cannot hold.
std::vector<std::byte> group_bytes(const DirectoryRequest& request, const GroupSection& group,
                                   const GroupContents& contents, int n_threads);

/// The bytes of a piece. Throws ValidationError for a value of the model that is not finite,
/// UnsupportedError for one that the float type cannot hold.
std::vector<std::byte> copied_bytes(const model::Checkpoint& checkpoint, const CopiedPiece& piece);

/// A float tensor as F16 or BF16. Throws UnsupportedError for a value that the type cannot hold.
std::vector<std::byte> float_bytes(const std::string& name, std::span<const float> values,
                                   tensor::DType dtype);

}  // namespace lq::hf

#include "common/mix/gguf_file.h"

#include <algorithm>

namespace lq::mix {
namespace {

constexpr std::uint32_t kQuantizationVersion = 2;
// llama.cpp keeps such strings in fixed fields of 128 bytes.
constexpr std::size_t kMaxKeptString = 127;

void describe_importance(const calibration::ImportanceFacts& importance, gguf::Metadata& metadata) {
  metadata.set("quantize.imatrix.file", importance.file.substr(0, kMaxKeptString));
  if (!importance.dataset.empty()) {
    metadata.set("quantize.imatrix.dataset", importance.dataset.substr(0, kMaxKeptString));
  }
  metadata.set("quantize.imatrix.entries_count", importance.n_entries);
  if (importance.n_chunks > 0) metadata.set("quantize.imatrix.chunks_count", importance.n_chunks);
}

}  // namespace

GgufFile plan_gguf_file(const gguf::Metadata& model_metadata,
                        std::span<const model::GgufTensor> tensors,
                        const model::ModelConfig& config, const FileType& file_type,
                        const std::optional<calibration::ImportanceFacts>& importance,
                        const MixOverrides& overrides) {
  GgufFile file;
  file.metadata = model_metadata;
  file.choices = choose_types(file_type, tensors, config, importance.has_value(), overrides);
  bool any_quantized = false;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    file.tensors.push_back({tensors[i].name, tensors[i].dims, file.choices[i].type});
    any_quantized |= codec::codec(file.choices[i].type).quantized;
  }
  file.metadata.set("general.file_type", file_type.id);
  if (any_quantized) file.metadata.set("general.quantization_version", kQuantizationVersion);
  if (importance) describe_importance(*importance, file.metadata);
  return file;
}

std::uint64_t rows_per_piece(const model::GgufTensor& tensor) {
  constexpr std::uint64_t kPieceElems = std::uint64_t{1} << 20;
  const std::uint64_t rows = std::max<std::uint64_t>(1, kPieceElems / tensor.row_elems());
  if (!tensor.is_matrix || tensor.interleave_heads == 0) return rows;
  const std::uint64_t head_rows =
      tensor.n_rows() / static_cast<std::uint64_t>(tensor.interleave_heads);
  return std::max<std::uint64_t>(1, rows / head_rows) * head_rows;
}

std::uint64_t gguf_working_memory(std::span<const model::GgufTensor> tensors,
                                  std::span<const GgufFile* const> files,
                                  std::uint64_t header_bytes, int n_threads) {
  std::uint64_t largest_piece = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const model::GgufTensor& tensor = tensors[i];
    const std::uint64_t rows = std::min(tensor.n_rows(), rows_per_piece(tensor));
    const std::uint64_t elems = rows * tensor.row_elems();
    std::uint64_t bytes =
        tensor.source == nullptr ? 0 : tensor.source->n_bytes / tensor.n_rows() * rows;
    for (const GgufFile* file : files)
      bytes += codec::codec(file->choices[i].type).bytes_for(elems);
    largest_piece = std::max(largest_piece, bytes);
  }
  constexpr std::uint64_t kProgram = std::uint64_t{24} << 20;
  constexpr std::uint64_t kParsedTokenizer =
      12;  // measured: JSON of a vocabulary against its header bytes
  return kProgram + header_bytes * (kParsedTokenizer + 2 * files.size()) +
         largest_piece * static_cast<std::uint64_t>(n_threads);
}

}  // namespace lq::mix

#pragma once
// One GGUF file as planned from a checkpoint: the type of every tensor, the complete metadata, and
// through gguf::lay_out the exact size of the file. lq-quant-gguf writes what is planned here;
// lq-inspect --estimate only prints the size, so the two agree to the byte.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/calibration/importance_facts.h"
#include "common/gguf/layout.h"
#include "common/gguf/metadata.h"
#include "common/mix/type_mix.h"
#include "common/model/gguf_model.h"

namespace lq::mix {

struct GgufFile {
  gguf::Metadata metadata;
  std::vector<TensorChoice> choices;      // per tensor
  std::vector<gguf::TensorSpec> tensors;  // the same order
};

/// `model_metadata` is model::gguf_metadata() of the same checkpoint. Throws UsageError and
/// UnsupportedError as choose_types() does.
GgufFile plan_gguf_file(const gguf::Metadata& model_metadata,
                        std::span<const model::GgufTensor> tensors,
                        const model::ModelConfig& config, const FileType& file_type,
                        const std::optional<calibration::ImportanceFacts>& importance,
                        const MixOverrides& overrides);

/// Rows of a tensor that one unit of work converts: about a million elements, at least one row.
/// Whole heads stay together, so that the rows of a unit come from the same rows of the source.
std::uint64_t rows_per_piece(const model::GgufTensor& tensor);

/// Peak memory of lq-quant-gguf in bytes: for each thread the source bytes of one piece and its
/// encoded rows for every file, and the metadata as parsed, as planned and as header bytes.
/// REQUIRES: `files` planned from `tensors`.
std::uint64_t gguf_working_memory(std::span<const model::GgufTensor> tensors,
                                  std::span<const GgufFile* const> files,
                                  std::uint64_t header_bytes, int n_threads);

}  // namespace lq::mix

#pragma once
// Whether the tokenizer is one that the model can be used with.

#include <cstdint>
#include <filesystem>

#include "common/gguf/metadata.h"
#include "common/model/model_config.h"
#include "common/soundness/report.h"

namespace lq::soundness {

/// The files of a directory against the numbers of config.json.
void check_tokenizer_files(const std::filesystem::path& dir, const model::ModelConfig& config,
                           Report& report);

/// The keys of a GGUF; `n_rows`: of its embeddings, 0 when they are not known.
void check_gguf_tokenizer(const gguf::Metadata& metadata, const std::filesystem::path& file,
                          std::uint64_t n_rows, Report& report);

}  // namespace lq::soundness

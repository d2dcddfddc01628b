#pragma once
// From a model directory and a request to a complete plan: every file with its header, every tensor
// with its type and offset, and the units of work. A unit is one file's header, or some rows of one
// tensor written to every result.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/calibration/importance_facts.h"
#include "common/calibration/importance_matrix.h"
#include "common/mix/gguf_file.h"
#include "common/model/checkpoint.h"
#include "common/model/gguf_model.h"
#include "common/stage/run_stage.h"
#include "tools/lq-quant-gguf/options.h"

namespace lq::quant_gguf {

/// Rows [first_row, first_row + n_rows) of tensors[tensor].
struct Piece {
  std::size_t tensor = 0;
  std::uint64_t first_row = 0, n_rows = 0;
};

/// The header of file `file` of result `result`.
struct HeaderPiece {
  std::size_t result = 0, file = 0;
};

struct ResultFile {
  const mix::FileType* file_type = nullptr;
  mix::GgufFile contents;
  std::vector<gguf::SplitPart> parts;  // one for an unsplit file
};

struct Job {
  model::Checkpoint checkpoint;
  std::vector<model::GgufTensor> tensors;
  std::optional<calibration::ImportanceMatrix> importance;  // floored
  std::optional<calibration::ImportanceFacts> importance_facts;
  std::vector<ResultFile> results;
  std::vector<HeaderPiece> headers;  // units [0, headers.size())
  std::vector<Piece> pieces;         // the units after them
  stage::Plan plan;

  /// nullptr where the tensor has no importance.
  const float* importance_of(std::size_t tensor) const;
};

/// Opens the model, reads headers and the tokenizer, decides everything. Warnings go to the
/// observer.
Job make_job(const std::string& model_dir, const Options& options, const Request& request,
             const std::string& output, int n_threads, stage::StageObserver& observer);

}  // namespace lq::quant_gguf

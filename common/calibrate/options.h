#pragma once
// What a calibration is asked for, and what its options mean together. Nothing is opened here.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/calibration/site_stats.h"
#include "common/linalg/matrix.h"
#include "common/stage/run_stage.h"

namespace lq::calibrate {

struct Options {
  std::vector<std::string> data;  // files of texts, or "-"; empty = the built-in texts
  std::string field = "text";     // of the lines of a .jsonl file
  std::string tokens;             // a file of windows of ids, in place of texts
  std::string from_imatrix;       // an importance matrix, in place of a forward pass
  std::int64_t samples = 0;       // windows; 0 = as many as suit the data
  std::int64_t seq_len = 512;     // tokens of a window, with its bos
  std::int64_t seed = 0;
  std::string stats = "full";
  std::string compute = "bf16";
  std::int64_t lanes = 4;
  std::string imatrix;  // where to write an importance matrix too; empty = nowhere

  calibration::GramKind gram_kind() const;
  linalg::Compute compute_type() const;
};

/// Throws UsageError for contradictions.
void check(const Options& options, const std::optional<stage::Shard>& shard);

}  // namespace lq::calibrate

#pragma once
// An importance matrix as sums and counts in float32, which is what files of both forms are made
// from (importance_matrix.h has the layouts), so that a file and the calibration it was exported
// from mean the same to the last bit.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "common/calibration/calibration_directory.h"
#include "common/calibration/importance_matrix.h"
#include "common/model/architecture.h"

namespace lq::calibration {

struct ImportanceSums {
  struct Entry {
    std::vector<float> sum_sq;  // [ne0]
    float count = 0;            // tokens
  };
  std::map<std::string, Entry, std::less<>> entries;  // by GGUF tensor name
  std::string dataset;
  std::uint32_t n_chunks = 0, chunk_size = 0;
};

/// Of every linear layer that `architecture` has in GGUF. The output matrix is left out where the
/// embeddings serve as one (`tied`), because no tensor has that name then. Throws as read_layer().
ImportanceSums importance_sums(const CalibrationDirectory& calibration,
                               const model::Architecture& architecture, bool tied);

/// Means of squares, as read_importance() gives them for a file of these sums.
ImportanceMatrix importance_of(const ImportanceSums& sums);

/// The bytes of a file: the older form for names that end in ".dat", else the GGUF form.
std::string importance_file(const ImportanceSums& sums, const std::filesystem::path& name);

}  // namespace lq::calibration

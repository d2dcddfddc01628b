#pragma once
// The sums of one lane in one layer, exactly, for a finisher that adds the lanes of several
// machines. Lives in the scratch folder of an unfinished run (stage/scratch_file.h); its content is,
// per site in their order: count (int64), sum, sum_abs, sum_sq (float64), max_abs (float32), the
// elements of the Gram squares on and above their diagonals (float32); then the sample.

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/calibration/layer_stats.h"

namespace lq::calibration {

/// Its place in the scratch folder: "lane-0/sums-003".
std::filesystem::path lane_file_name(std::size_t lane, std::size_t step);

/// The bytes of the file.
std::vector<std::byte> encode_lane(const LayerStats& stats, const std::string& tag);

/// Adds the file's sums to `total`. False where it is not there, of another run or damaged; `total`
/// is unchanged then.
bool add_lane_file(const std::filesystem::path& path, const std::string& tag, LayerStats& total,
                   std::size_t sample_elems, int n_threads);

/// Its size.
std::uint64_t lane_file_bytes(std::span<const SiteShape> shapes, GramKind kind,
                              std::size_t sample_elems);

}  // namespace lq::calibration

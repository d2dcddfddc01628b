#pragma once
// The statistics of a layer as the calibration directory holds them (calibration_directory.md has
// the layout): a safetensors file, compressed with zstd. Of the Gram matrix the file has the sum of
// squares in float64 and the correlations of different channels,
//
//   round(32767 * G_ij / sqrt(G_ii G_jj)),  i < j, row after row of each square,
//
// in 16 bits, which solvers cannot tell from float32 once they damp the diagonal.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "common/calibration/layer_stats.h"

namespace lq::calibration {

/// The bytes of the file; the same for any number of threads. `id` tells the files of one calibration
/// from those of another.
std::vector<std::byte> encode_layer(const LayerStats& stats, std::size_t hidden,
                                    const std::string& id, int n_threads);

/// At most so many bytes, for the check of the disk.
std::uint64_t layer_file_bytes(std::span<const SiteShape> shapes, GramKind kind,
                               std::size_t sample_elems);

/// What a reader wants of a layer.
enum class Want : std::uint8_t {
  kSums,   // without Gram matrices and sample: only the beginning of the file is read
  kGrams,  // all sites with what is kept of their Gram matrices, both triangles filled
  kAll,    // the sample too
};

/// `shapes` are the sites that the file must have, `id` what it was made with. What a file has not
/// kept of a site (one made from an importance matrix has sums of squares alone) is empty. Throws
/// ModelNotFoundError for a missing file, ValidationError for a damaged one, one of other sites or
/// of another calibration.
LayerStats read_layer(const std::filesystem::path& path, std::span<const SiteShape> shapes,
                      const std::string& id, Want want, int n_threads);

}  // namespace lq::calibration

#pragma once
// The statistics of one decoder layer, or of the output head: one SiteStats per site, and a sample
// of what enters it.

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "common/calibration/site_stats.h"
#include "common/calibration/sites.h"

namespace lq::calibration {

struct LayerStats {
  std::vector<std::pair<const SiteRow*, SiteStats>> sites;  // in the order of sites()
  /// Hidden states that enter the layer, of the first tokens: [n, hidden] in bfloat16. Of the head:
  /// those behind the last layer.
  std::vector<std::uint16_t> sample;

  SiteStats& at(forward::Site site);
  const SiteStats& at(forward::Site site) const;
  /// Adds what another part of the tokens gave; the first that has a sample keeps it. REQUIRES: of
  /// the same sites and kinds.
  void add(const LayerStats& other, int n_threads);
};

/// Of no tokens yet.
LayerStats empty_layer_stats(std::span<const SiteShape> shapes, GramKind kind);
/// Memory in bytes of one.
std::uint64_t layer_stats_bytes(std::span<const SiteShape> shapes, GramKind kind);

}  // namespace lq::calibration

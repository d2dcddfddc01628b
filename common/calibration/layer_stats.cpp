#include "common/calibration/layer_stats.h"

#include <algorithm>
#include <cassert>

namespace lq::calibration {
const SiteStats& LayerStats::at(forward::Site site) const {
  const auto found =
      std::ranges::find_if(sites, [site](const auto& entry) { return entry.first->site == site; });
  assert(found != sites.end());
  return found->second;
}

SiteStats& LayerStats::at(forward::Site site) {
  return const_cast<SiteStats&>(std::as_const(*this).at(site));
}

void LayerStats::add(const LayerStats& other, int n_threads) {
  for (std::size_t i = 0; i < sites.size(); ++i) {
    assert(other.sites[i].first == sites[i].first);
    sites[i].second.add(other.sites[i].second, n_threads);
  }
  if (sample.empty()) sample = other.sample;
}

LayerStats empty_layer_stats(std::span<const SiteShape> shapes, GramKind kind) {
  LayerStats stats;
  for (const SiteShape& shape : shapes) {
    stats.sites.emplace_back(shape.row, SiteStats(kind, shape.width));
  }
  return stats;
}

std::uint64_t layer_stats_bytes(std::span<const SiteShape> shapes, GramKind kind) {
  std::uint64_t bytes = 0;
  for (const SiteShape& shape : shapes) bytes += SiteStats::bytes(kind, shape.width);
  return bytes;
}

}  // namespace lq::calibration

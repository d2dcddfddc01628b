#include "common/calibration/lane_file.h"

#include <cstring>
#include <fmt/format.h>

#include "common/stage/scratch_file.h"

namespace lq::calibration {
namespace {

/// Calls visit(span of bytes) for everything of a site that the file has, in order.
template <class Stats, class Visit>
void visit_site(Stats& site, Visit visit) {
  visit(std::span(&site.count, 1));
  visit(std::span(site.sum));
  visit(std::span(site.sum_abs));
  visit(std::span(site.sum_sq));
  visit(std::span(site.max_abs));
  for (const GramSquare& square : gram_squares(site.kind, site.width())) {
    for (std::size_t i = 0; i < square.n; ++i) {
      visit(std::span(site.gram).subspan(square.place + i * square.n + i, square.n - i));
    }
  }
}

std::uint64_t site_bytes(GramKind kind, std::size_t d) {
  return sizeof(std::int64_t) + SiteStats::bytes(GramKind::kNone, d) +
         (kind == GramKind::kNone ? 0 : gram_pairs(kind, d) + d) * sizeof(float);
}

}  // namespace

std::filesystem::path lane_file_name(std::size_t lane, std::size_t step) {
  return fmt::format("lane-{}/sums-{:03}", lane, step);
}

std::vector<std::byte> encode_lane(const LayerStats& stats, const std::string& tag) {
  std::uint64_t size = stats.sample.size() * sizeof(std::uint16_t) + stage::kScratchTrailerBytes;
  for (const auto& [row, site] : stats.sites) size += site_bytes(site.kind, site.width());
  std::vector<std::byte> bytes;
  bytes.reserve(size);
  const auto append = [&bytes](auto values) {
    const auto raw = std::as_bytes(values);
    bytes.insert(bytes.end(), raw.begin(), raw.end());
  };
  for (const auto& [row, site] : stats.sites) visit_site(site, append);
  append(std::span(stats.sample));
  const std::string trailer = stage::scratch_trailer(bytes, tag);
  append(std::span(trailer));
  return bytes;
}

bool add_lane_file(const std::filesystem::path& path, const std::string& tag, LayerStats& total,
                   std::size_t sample_elems, int n_threads) {
  const auto file = stage::ScratchReader::open(path, tag);
  std::uint64_t wanted = sample_elems * sizeof(std::uint16_t);
  for (const auto& [row, site] : total.sites) wanted += site_bytes(site.kind, site.width());
  if (!file || file->size() != wanted) return false;
  std::uint64_t place = 0;
  const auto take = [&](auto values) {
    file->read_at(place, std::as_writable_bytes(values));
    place += values.size_bytes();
  };
  for (auto& entry : total.sites) {
    SiteStats site(entry.second.kind, entry.second.width());
    visit_site(site, take);
    entry.second.add(site, n_threads);
  }
  if (total.sample.empty() && sample_elems > 0) {
    total.sample.resize(sample_elems);
    take(std::span(total.sample));
  }
  return true;
}

std::uint64_t lane_file_bytes(std::span<const SiteShape> shapes, GramKind kind,
                              std::size_t sample_elems) {
  std::uint64_t bytes = sample_elems * sizeof(std::uint16_t) + stage::kScratchTrailerBytes;
  for (const SiteShape& shape : shapes) bytes += site_bytes(kind, shape.width);
  return bytes;
}

}  // namespace lq::calibration

#include "tools/lq-inspect/calibration_report.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <vector>

#include "common/base/text.h"
#include "common/calibration/calibration_directory.h"
#include "common/io/file_status.h"

namespace lq::inspect {
namespace {

using calibration::CalibrationDirectory;
using calibration::Description;
using calibration::SiteStats;
using nlohmann::ordered_json;

/// Size of the values of a site, and how much of it the largest channel has: outliers are what
/// quantizers struggle with.
struct SiteFacts {
  int layer = 0;
  const calibration::SiteRow* row = nullptr;
  double rms = 0, largest = 0;  // of all values
  std::size_t top_channel = 0;
  double top_ratio = 0;  // rms of that channel over that of all
};

SiteFacts facts_of(int layer, const calibration::SiteRow& row, const SiteStats& stats) {
  const auto top = std::ranges::max_element(stats.sum_sq);
  const double all = std::accumulate(stats.sum_sq.begin(), stats.sum_sq.end(), 0.0);
  const double mean = all / static_cast<double>(stats.sum_sq.size());
  SiteFacts facts{.layer = layer, .row = &row};
  facts.rms = std::sqrt(mean / static_cast<double>(stats.count));
  facts.top_channel = static_cast<std::size_t>(top - stats.sum_sq.begin());
  facts.top_ratio = mean > 0 ? std::sqrt(*top / mean) : 0;
  if (!stats.max_abs.empty()) facts.largest = *std::ranges::max_element(stats.max_abs);
  return facts;
}

std::vector<SiteFacts> all_sites(const CalibrationDirectory& calibration) {
  std::vector<SiteFacts> found;
  const auto take = [&](int layer) {
    const calibration::LayerStats stats = calibration.read(layer, calibration::Want::kSums, 1);
    for (const auto& [row, site] : stats.sites) found.push_back(facts_of(layer, *row, site));
  };
  for (int layer = 0; layer < calibration.description().n_layers; ++layer) take(layer);
  if (!calibration.description().head_sites.empty()) take(-1);
  return found;
}

std::string widths_of(const Description& d) {
  std::string text;
  for (const auto* sites : {&d.layer_sites, &d.head_sites}) {
    for (const calibration::SiteShape& site : *sites) {
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", site.row->name, site.width);
    }
  }
  return text;
}

std::vector<std::string> lines_of(const std::string& path, const Description& d,
                                  std::uint64_t bytes, std::size_t n_files,
                                  const std::vector<SiteFacts>& sites) {
  std::vector<std::string> lines;
  const auto line = [&lines](std::string_view label, const std::string& value) {
    lines.push_back(fmt::format("{:<16}{}", label, base::escape_controls(value)));
  };
  line("calibration",
       fmt::format("of {} ({}, {} layers)", d.model_name, d.architecture, d.n_layers));
  line("path", path);
  line("model content", d.model_id);
  std::string windows = fmt::format("{}: {} windows", d.data_name, d.n_windows);
  if (d.n_tokens > 0) windows += fmt::format(" of up to {}, {} tokens", d.seq_len, d.n_tokens);
  line("data", windows);
  line("statistics", d.stats);
  if (!d.compute.empty()) {
    line("computed", fmt::format("in {}, {} lanes, on {}", d.compute, d.lanes, d.numeric_class));
  }
  if (d.sample_tokens > 0) line("sample", fmt::format("{} tokens", d.sample_tokens));
  line("widths", widths_of(d));
  line("size", fmt::format("{} in {} files", base::format_bytes(bytes), n_files));
  if (sites.empty()) return lines;
  lines.push_back("");
  lines.push_back(fmt::format("{:<6} {:<10} {:>12} {:>12} {:>12} {:>10}", "layer", "site", "rms",
                              "largest", "top channel", "its rms"));
  for (const SiteFacts& site : sites) {
    lines.push_back(fmt::format("{:<6} {:<10} {:>12.5g} {:>12.5g} {:>12} {:>9.1f}x",
                                site.layer < 0 ? "head" : std::to_string(site.layer),
                                site.row->name, site.rms, site.largest, site.top_channel,
                                site.top_ratio));
  }
  return lines;
}

}  // namespace

cli::ToolResult calibration_report(const std::string& path, bool per_site) {
  const CalibrationDirectory calibration(path);
  const Description& d = calibration.description();
  std::uint64_t bytes = 0;
  for (const auto& file : calibration.files()) {
    bytes += io::file_status(file).value_or(io::FileStatus{}).size;
  }
  const std::size_t n_files = calibration.files().size();
  std::vector<SiteFacts> sites;
  if (per_site) sites = all_sites(calibration);
  cli::ToolResult result;
  result.lines = lines_of(path, d, bytes, n_files, sites);
  result.json = {
      {"path", path}, {"kind", "calibration"}, {"files", n_files}, {"file_bytes", bytes}};
  const ordered_json description = calibration::to_json(d);
  for (const auto& [key, value] : description.items()) {
    if (key != "schema") result.json[key] = value;
  }
  if (!per_site) return result;
  ordered_json rows = ordered_json::array();
  for (const SiteFacts& site : sites) {
    rows.push_back({{"layer", site.layer},
                    {"site", site.row->name},
                    {"rms", site.rms},
                    {"largest", site.largest},
                    {"top_channel", site.top_channel},
                    {"top_ratio", site.top_ratio}});
  }
  result.json["statistics_per_site"] = rows;
  return result;
}

}  // namespace lq::inspect

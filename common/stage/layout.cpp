#include "common/stage/layout.h"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>
#include <tuple>

namespace lq::stage {
namespace {

void require(bool holds, const std::string& unit, const char* rule) {
  if (!holds) throw std::logic_error(fmt::format("plan: unit {} {}", unit, rule));
}

}  // namespace

ResultLayout layout_of(const Plan& plan, std::size_t result) {
  const std::vector<OutputFile>& files = plan.results.at(result).files;
  ResultLayout layout;
  layout.number_of.resize(plan.units.size());
  for (std::size_t unit = 0; unit < plan.units.size(); ++unit) {
    for (const Extent& extent : plan.units[unit].extents) {
      if (extent.result != result) continue;
      const std::string& name = plan.units[unit].name;
      require(!layout.number_of[unit], name, "has two extents in one result");
      require(extent.file < files.size() && extent.offset <= files[extent.file].size &&
                  extent.size <= files[extent.file].size - extent.offset,
              name, "leaves its file");
      require(!files[extent.file].is_open() || extent.size == kOpenSize, name,
              "is not the whole of its file");
      layout.number_of[unit] = layout.units.size();
      layout.units.push_back({unit, extent});
    }
  }

  std::vector<const ResultUnit*> sorted;
  for (const ResultUnit& unit : layout.units) sorted.push_back(&unit);
  std::ranges::sort(sorted, {}, [](const ResultUnit* unit) {
    return std::tuple(unit->extent.file, unit->extent.offset, unit->extent.size);
  });
  std::size_t next = 0;
  for (std::size_t file = 0; file < files.size(); ++file) {
    std::uint64_t position = 0;
    for (; next < sorted.size() && sorted[next]->extent.file == file; ++next) {
      const Extent& extent = sorted[next]->extent;
      require(extent.offset >= position, plan.units[sorted[next]->unit].name,
              "overlaps another one");
      if (extent.offset > position) {
        layout.gaps.push_back({result, file, position, extent.offset - position});
      }
      position = extent.offset + extent.size;
    }
    if (position < files[file].size && !files[file].is_open()) {
      layout.gaps.push_back({result, file, position, files[file].size - position});
    }
  }
  return layout;
}

std::uint64_t amount_of(const Plan& plan, const Unit& unit) {
  if (plan.measure == Measure::kTokens) return unit.tokens;
  std::uint64_t bytes = 0;
  for (const Extent& extent : unit.extents) {
    if (extent.size != kOpenSize) bytes += extent.size;
  }
  return bytes;
}

std::vector<int> cut_by_cost(const std::vector<Unit>& units, int count) {
  double total = 0;
  for (const Unit& unit : units) total += unit.cost;
  const bool even = !(total > 0);
  if (even) total = static_cast<double>(units.size());
  std::vector<int> shard_of;
  double before = 0;
  for (const Unit& unit : units) {
    const double cost = even ? 1 : unit.cost;
    const double middle = (before + cost / 2) / total;
    shard_of.push_back(std::clamp(static_cast<int>(middle * count) + 1, 1, count));
    before += cost;
  }
  return shard_of;
}

std::vector<char> units_of_shard(const Plan& plan, const std::optional<Shard>& shard) {
  std::vector<char> chosen(plan.units.size(), 1);
  if (!shard || plan.is_one_shard) return chosen;
  const std::vector<int> shard_of = cut_by_cost(plan.units, shard->count);
  for (std::size_t unit = 0; unit < chosen.size(); ++unit) {
    const bool own = shard_of[unit] == shard->index && !plan.units[unit].concluding;
    chosen[unit] = own ? 1 : 0;
  }
  return chosen;
}

}  // namespace lq::stage

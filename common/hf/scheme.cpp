#include "common/hf/scheme.h"

#include <array>
#include <fmt/format.h>
#include <map>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::hf {
namespace {

struct FusedRow {
  std::string_view fused;
  std::array<std::string_view, 3> members;
};

constexpr std::array kFused = {
    FusedRow{"qkv_proj", {"q_proj", "k_proj", "v_proj"}},
    FusedRow{"gate_up_proj", {"gate_proj", "up_proj", ""}},
};

}  // namespace

std::string describe(const std::optional<Scheme>& scheme) {
  if (!scheme) return "float";
  const std::string groups =
      scheme->group_size == 0 ? "whole rows" : fmt::format("groups of {}", scheme->group_size);
  return fmt::format("{} bits, {}, {}", scheme->bits, groups,
                     scheme->symmetric ? "symmetric" : "asymmetric");
}

std::int64_t stated_group_size(const Scheme& scheme) {
  return scheme.group_size == 0 ? -1 : static_cast<std::int64_t>(scheme.group_size);
}

std::string fused_name(std::string_view module) {
  const std::size_t last = module.rfind('.') + 1;
  for (const FusedRow& row : kFused) {
    for (const std::string_view member : row.members) {
      if (member.empty() || module.substr(last) != member) continue;
      return fmt::format("{}{}", module.substr(0, last), row.fused);
    }
  }
  return {};
}

void require_fused_alike(std::span<const Module> modules) {
  std::map<std::string, const Module*> first;
  for (const Module& module : modules) {
    const std::string fused = fused_name(module.name);
    if (fused.empty()) continue;
    const Module* other = first.emplace(fused, &module).first->second;
    if (other->scheme == module.scheme) continue;
    throw base::UnsupportedError(
        fmt::format("cannot quantize {} and {} in different ways",
                    base::escape_controls(other->name), base::escape_controls(module.name)),
        fmt::format("runtimes join them into one matrix, {}; one would be {}, the other {}",
                    base::escape_controls(fused.substr(fused.rfind('.') + 1)),
                    describe(other->scheme), describe(module.scheme)),
        "let --skip and --override name all members or none of them");
  }
}

}  // namespace lq::hf

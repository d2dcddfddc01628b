#include "common/model/layer_windows.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace lq::model {
namespace {

using nlohmann::json;

// What the reference implementation takes where a key is left out.
constexpr std::int64_t kUsualWindow = 4096, kUsualFirstLayer = 28;

/// layer_types: one name for each layer. Returns whether it is there.
bool read_kinds(const KeyReader& top, std::int64_t n_layers, LayerWindows& windows) {
  std::string key;
  constexpr std::array<std::string_view, 1> kKey = {"layer_types"};
  const json* const kinds = top.find(kKey, key);
  if (kinds == nullptr) return false;
  if (!kinds->is_array() || !std::ranges::all_of(*kinds, &json::is_string) ||
      (n_layers > 0 && kinds->size() != static_cast<std::size_t>(n_layers))) {
    top.reject(key, *kinds, fmt::format("a list of {} names", n_layers));
  }
  for (const json& kind : *kinds) {
    windows.has.push_back(kind == "sliding_attention");
    // An older name of full attention is "attention".
    const bool is_other =
        kind != "sliding_attention" && kind != "full_attention" && kind != "attention";
    if (is_other && windows.other_kind.empty()) windows.other_kind = kind.get<std::string>();
  }
  return true;
}

std::int64_t stated_window(const KeyReader& top, WindowRule rule) {
  const bool is_on = top.flag("use_sliding_window", rule != WindowRule::kSwitched);
  if (!is_on && rule != WindowRule::kStated) return 0;
  const bool is_usual = rule != WindowRule::kUnknown && !top.has("sliding_window");
  return is_usual ? kUsualWindow : top.whole({"sliding_window"}, 0).value_or(0);
}

}  // namespace

std::int64_t LayerWindows::n_layers(std::int64_t of_all) const {
  if (size == 0) return 0;
  return has.empty() ? of_all : std::ranges::count(has, true);
}

LayerWindows read_windows(const KeyReader& top, std::int64_t n_layers, WindowRule rule) {
  LayerWindows windows;
  const bool has_kinds = read_kinds(top, n_layers, windows);
  if (rule != WindowRule::kNone) windows.size = stated_window(top, rule);
  if (rule == WindowRule::kSwitched && !has_kinds) {
    const std::int64_t first = top.whole({"max_window_layers"}, 0).value_or(kUsualFirstLayer);
    for (std::int64_t i = 0; i < n_layers; ++i) windows.has.push_back(i >= first);
  }
  if (windows.n_layers(1) == 0) windows.size = 0;
  if (windows.size == 0) windows.has.clear();
  return windows;
}

}  // namespace lq::model

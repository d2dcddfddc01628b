#pragma once
// How far back attention goes in each layer, as config.json states it.

#include <cstdint>
#include <string>
#include <vector>

#include "common/model/key_reader.h"

namespace lq::model {

/// How a class of models takes the keys of config.json.
enum class WindowRule : std::uint8_t {
  kNone,      // attention sees everything, whatever is stated
  kStated,    // sliding_window counts, in the layers of layer_types or in all
  kSwitched,  // the same only with use_sliding_window, else in the layers from max_window_layers on
  kUnknown,   // a family that is only inspected: as stated and not switched off
};

struct LayerWindows {
  std::int64_t size = 0;        // positions back, itself counted; 0: no layer has a window
  std::vector<bool> has;        // [layers]; empty: all have it
  std::string other_kind = {};  // of a layer of layer_types with neither full nor sliding attention

  /// 0: the layer sees everything before it.
  std::int64_t of(std::int64_t layer) const {
    return has.empty() || has[static_cast<std::size_t>(layer)] ? size : 0;
  }
  std::int64_t n_layers(std::int64_t of_all) const;
};

/// `top`: the whole of config.json. Throws ValidationError for values of the wrong kind.
LayerWindows read_windows(const KeyReader& top, std::int64_t n_layers, WindowRule rule);

}  // namespace lq::model

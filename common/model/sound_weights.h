#pragma once
// Whether the weights of a checkpoint are those that its configuration and its family ask for.

#include <string>
#include <string_view>
#include <vector>

#include "common/model/tensor_map.h"

namespace lq::model {

/// Throws UnsupportedError for weights that are quantized already and for biases that the family
/// has no place for; ValidationError for tensors that are missing or have another shape, all of
/// them in one.
void require_sound(const Checkpoint& checkpoint, const TensorMap& map);

/// Names as a message shows them: the first 20, then how many more there are.
std::string listed(const std::vector<std::string>& items, std::string_view separator);

}  // namespace lq::model

#include "common/tensor/tensor_source.h"

#include <algorithm>

namespace lq::tensor {

const TensorInfo* TensorSource::find(std::string_view name) const {
  const std::span<const TensorInfo> all = tensors();
  const auto info = std::ranges::find(all, name, &TensorInfo::name);
  return info == all.end() ? nullptr : &*info;
}

}  // namespace lq::tensor

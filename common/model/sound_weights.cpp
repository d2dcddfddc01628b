#include "common/model/sound_weights.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::model {
namespace {

std::string shape_text(const tensor::Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::string missing_text(const std::vector<std::string>& missing) {
  return fmt::format(
      "{} missing: {}",
      missing.size() == 1 ? "a tensor is" : fmt::format("{} tensors are", missing.size()),
      listed(missing, ", "));
}

void refuse_quantized(const Checkpoint& checkpoint, const TensorMap& map) {
  const std::string what = fmt::format("cannot convert {}", base::shown(checkpoint.dir));
  const std::string fix = "give the original model in BF16, F16 or F32 that this one was made from";
  const std::string method = quantization_method(checkpoint.config);
  if (!method.empty()) {
    throw base::UnsupportedError(
        what, fmt::format("its weights are quantized already ({} in config.json)", method), fix);
  }
  for (const MappedTensor& tensor : map.used) {
    if (tensor.found == nullptr || tensor::dtype_row(tensor.found->dtype).widens) continue;
    throw base::UnsupportedError(
        what,
        fmt::format("tensor {} has type {}, which holds no plain weights", tensor.hf,
                    tensor::dtype_row(tensor.found->dtype).name),
        fix);
  }
  for (const tensor::TensorInfo* info : map.left_over) {
    for (const std::string_view suffix :
         {".weight_scale", ".weight_scale_inv", ".qweight", ".weight_packed", ".qzeros"}) {
      if (!info->name.ends_with(suffix)) continue;
      throw base::UnsupportedError(
          what,
          fmt::format("tensor {} belongs to weights that are quantized already",
                      base::escape_controls(info->name)),
          fix);
    }
  }
}

void refuse_misfits(const Checkpoint& checkpoint, const TensorMap& map) {
  if (!map.misplaced_biases.empty()) {
    throw base::UnsupportedError(
        fmt::format("cannot convert {}", base::shown(checkpoint.dir)),
        fmt::format(
            "{} tensors are biases that the runtime of '{}' has no place for, the first is {}",
            map.misplaced_biases.size(), checkpoint.architecture->name,
            base::escape_controls(map.misplaced_biases.front()->name)),
        "use a model of this family without biases there");
  }
  std::vector<std::string> missing, misshapen;
  for (const MappedTensor& tensor : map.used) {
    if (tensor.found == nullptr) {
      missing.push_back(tensor.hf);
    } else if (tensor.found->shape != tensor.shape) {
      misshapen.push_back(fmt::format("{} has shape {}, the config implies {}", tensor.hf,
                                      shape_text(tensor.found->shape), shape_text(tensor.shape)));
    }
  }
  if (missing.empty() && misshapen.empty()) return;
  std::string why;
  if (!missing.empty()) why = missing_text(missing);
  if (!misshapen.empty()) {
    why += (why.empty() ? "" : "; ") + listed(misshapen, "; ");
  }
  throw base::ValidationError(
      fmt::format("the weights of {} do not fit its config.json", base::shown(checkpoint.dir)), why,
      "download the model again; config.json and the safetensors files must be of one model");
}

}  // namespace

std::string listed(const std::vector<std::string>& items, std::string_view separator) {
  constexpr std::size_t kMaxListed = 20;
  const std::size_t shown = std::min(items.size(), kMaxListed);
  std::string text = fmt::format(
      "{}",
      fmt::join(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(shown), separator));
  if (items.size() > shown) text += fmt::format("{}and {} more", separator, items.size() - shown);
  return text;
}

void require_sound(const Checkpoint& checkpoint, const TensorMap& map) {
  refuse_quantized(checkpoint, map);
  refuse_misfits(checkpoint, map);
}

}  // namespace lq::model

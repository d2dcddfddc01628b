#include "tools/lq-inspect/group_formats.h"

#include <fmt/format.h>
#include <map>
#include <string_view>
#include <vector>

#include "common/base/text.h"
#include "common/safetensors/shards.h"

namespace lq::inspect {
namespace {

bool in_groups(const model::GgufTensor& tensor) {
  using enum model::TensorRole;
  switch (tensor.role) {
    case kAttnQ:
    case kAttnK:
    case kAttnV:
    case kAttnQkv:
    case kAttnOutput:
    case kFfnGate:
    case kFfnUp:
    case kFfnDown:
      return tensor.is_matrix;
    default:
      return false;
  }
}

/// The tensors that stand in place of one linear layer of [rows, columns].
void add_layer(const std::string& layer, std::int64_t rows, std::int64_t columns,
               const GroupFormat& format, std::vector<safetensors::TensorSpec>& out) {
  using tensor::DType;
  const std::int64_t groups =
      format.group_size < 0 ? 1 : (columns + format.group_size - 1) / format.group_size;
  const std::int64_t packed_rows = rows * format.bits / 32;
  if (format.awq) {
    out.push_back({layer + ".qweight", DType::kI32, {columns, packed_rows}});
  } else {
    out.push_back({layer + ".qweight", DType::kI32, {columns * format.bits / 32, rows}});
    out.push_back({layer + ".g_idx", DType::kI32, {columns}});
  }
  out.push_back({layer + ".qzeros", DType::kI32, {groups, packed_rows}});
  out.push_back({layer + ".scales", DType::kF16, {groups, rows}});
}

}  // namespace

std::string GroupFormat::name() const {
  return awq ? fmt::format("AWQ-g{}", group_size) : fmt::format("GPTQ-{}bit-g{}", bits, group_size);
}

std::optional<GroupFormat> parse_group_format(const std::string& text) {
  const std::string lower = base::to_lower(text);
  std::string_view rest = lower;
  const auto take = [&rest](std::string_view word) {
    if (!rest.starts_with(word)) return false;
    rest.remove_prefix(word.size());
    return true;
  };
  GroupFormat format;
  format.awq = take("awq");
  if (!format.awq && !take("gptq")) return std::nullopt;
  for (const int bits : {2, 3, 4, 8}) {
    if (format.awq || !take(fmt::format("-{}bit", bits))) continue;
    format.bits = bits;
    break;
  }
  for (const int group_size : {-1, 32, 64, 128}) {
    if ((format.awq && group_size < 0) || !take(fmt::format("-g{}", group_size))) continue;
    format.group_size = group_size;
    break;
  }
  return rest.empty() ? std::optional(format) : std::nullopt;
}

GroupEstimate estimate_group_format(const model::Checkpoint& checkpoint,
                                    const std::vector<model::GgufTensor>& tensors,
                                    const GroupFormat& format) {
  GroupEstimate estimate;
  std::map<const tensor::TensorInfo*, bool> grouped;
  for (const model::GgufTensor& tensor : tensors) {
    if (tensor.source != nullptr) grouped[tensor.source] = in_groups(tensor);
  }
  std::vector<safetensors::TensorSpec> specs;
  for (const tensor::TensorInfo& info : checkpoint.weights->tensors()) {
    const auto known = grouped.find(&info);
    if (known == grouped.end()) continue;  // not part of the model, or tied
    if (!known->second) {
      specs.push_back({info.name, info.dtype, info.shape});
      continue;
    }
    const std::string layer = info.name.substr(0, info.name.rfind(".weight"));
    const std::int64_t columns = info.shape[1];
    if (format.group_size > 0 && columns % format.group_size != 0 && estimate.refused.empty()) {
      estimate.refused = fmt::format("{} columns of {} are no multiple of {}", columns,
                                     base::escape_controls(layer), format.group_size);
    }
    add_layer(layer, info.shape[0], columns, format, specs);
    estimate.quantized_elems += info.n_elems;
  }
  for (const auto& shard : safetensors::into_shards(specs)) {
    estimate.file_bytes += safetensors::lay_out(shard).file_bytes;
  }
  return estimate;
}

}  // namespace lq::inspect

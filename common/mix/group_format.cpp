#include "common/mix/group_format.h"

#include <fmt/format.h>
#include <map>
#include <numeric>
#include <string_view>
#include <utility>

#include "common/base/text.h"
#include "common/safetensors/shards.h"

namespace lq::mix {
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

constexpr std::int64_t kWordBits = 32;

std::int64_t rounded_up(std::int64_t n, std::int64_t divisor) {
  return (n + divisor - 1) / divisor;
}

std::int64_t words_for(std::int64_t n_codes, const GroupFormat& format) {
  return rounded_up(n_codes * format.bits, kWordBits);
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

std::string misfit(const LinearLayer& layer, const GroupFormat& format) {
  const std::string name = base::escape_controls(layer.name);
  if (format.group_size > 0 && layer.columns % format.group_size != 0) {
    return fmt::format("{} columns of {} are no multiple of {}", layer.columns, name,
                       format.group_size);
  }
  // The fewest codes that end where a word ends.
  const std::int64_t run = kWordBits / std::gcd(kWordBits, std::int64_t{format.bits});
  const auto ragged = [&](std::int64_t n, std::string_view what) {
    return fmt::format("{} {} of {} are no multiple of {}, which {}-bit codes need to fill words",
                       n, what, name, run, format.bits);
  };
  if (layer.rows % run != 0) return ragged(layer.rows, "rows");
  if (!format.awq && layer.columns % run != 0) return ragged(layer.columns, "columns");
  return {};
}

std::vector<safetensors::TensorSpec> packed_tensors(const LinearLayer& layer,
                                                    const GroupFormat& format) {
  using tensor::DType;
  const std::int64_t groups =
      format.group_size < 0 ? 1 : rounded_up(layer.columns, format.group_size);
  const std::int64_t row_words = words_for(layer.rows, format);
  std::vector<safetensors::TensorSpec> specs;
  if (format.awq) {
    specs.push_back({layer.name + ".qweight", DType::kI32, {layer.columns, row_words}});
  } else {
    specs.push_back(
        {layer.name + ".qweight", DType::kI32, {words_for(layer.columns, format), layer.rows}});
    specs.push_back({layer.name + ".g_idx", DType::kI32, {layer.columns}});
  }
  specs.push_back({layer.name + ".qzeros", DType::kI32, {groups, row_words}});
  specs.push_back({layer.name + ".scales", DType::kF16, {groups, layer.rows}});
  return specs;
}

GroupFileSizes group_file_sizes(const tensor::TensorSource& weights,
                                std::span<const model::GgufTensor> tensors,
                                const GroupFormat& format) {
  GroupFileSizes sizes;
  std::map<const tensor::TensorInfo*, bool> grouped;
  for (const model::GgufTensor& tensor : tensors) {
    if (tensor.source != nullptr) grouped[tensor.source] = in_groups(tensor);
  }
  std::vector<safetensors::TensorSpec> specs;
  for (const tensor::TensorInfo& info : weights.tensors()) {
    const auto known = grouped.find(&info);
    if (known == grouped.end()) continue;  // not part of the model, or tied
    if (!known->second) {
      specs.push_back({info.name, info.dtype, info.shape});
      continue;
    }
    const LinearLayer layer{info.name.substr(0, info.name.rfind(".weight")), info.shape[0],
                            info.shape[1]};
    if (sizes.refused.empty()) sizes.refused = misfit(layer, format);
    for (safetensors::TensorSpec& spec : packed_tensors(layer, format)) {
      specs.push_back(std::move(spec));
    }
  }
  for (const auto& shard : safetensors::into_shards(specs)) {
    sizes.file_bytes += safetensors::lay_out(shard).file_bytes;
  }
  return sizes;
}

}  // namespace lq::mix

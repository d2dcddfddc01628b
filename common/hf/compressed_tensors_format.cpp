// compressed-tensors "pack-quantized". Codes are packed along the inputs, row by row; zero points
// along the outputs, so their words are the transpose of what pack() gives. Natural order. The
// library counts codes and zero points from -2^(bits - 1) and adds that again when it packs, so the
// stored bits are those of GPTQ v2.
//
//   weight_packed  I32 [out, ceil(in * bits / 32)]     weight_shape  I64 [2] = out, in
//   weight_scale   [out, groups]                       weight_zero_point  I32
//                                                      [ceil(out * bits / 32), groups]
//
// Three bits are one dense stream per row, as the library packs since version 0.15 (before, ten
// codes a word).

#include <algorithm>
#include <array>
#include <cassert>
#include <fmt/format.h>

#include "common/hf/bit_packing.h"
#include "common/hf/format_rows.h"
#include "common/hf/module_rules.h"
#include "common/hf/stored_tensors.h"

namespace lq::hf {
namespace {

using tensor::DType;
using tensor::QuantizedMatrix;

constexpr std::array kBits = {2, 3, 4, 8};
constexpr std::string_view kPacking = "pack-quantized";

DType scale_dtype(DType float_dtype) { return float_dtype; }

std::string shape_problem(std::size_t /*rows*/, std::size_t columns, const Scheme& scheme) {
  if (scheme.group_size != 0 && columns % scheme.group_size != 0) {
    return fmt::format("has {} columns, which are no whole number of groups of {}", columns,
                       scheme.group_size);
  }
  return {};
}

std::vector<safetensors::TensorSpec> tensors(const Module& module, DType float_dtype) {
  const Scheme& scheme = *module.scheme;
  const std::int64_t groups = extent(scheme.n_groups(module.columns));
  const std::int64_t rows = extent(module.rows);
  std::vector<safetensors::TensorSpec> specs = {
      {module.name + ".weight_shape", DType::kI64, {2}},
      {module.name + ".weight_packed",
       DType::kI32,
       {rows, extent(packed_words(module.columns, scheme.bits))}}};
  if (!scheme.symmetric) {
    specs.push_back({module.name + ".weight_zero_point",
                     DType::kI32,
                     {extent(packed_words(module.rows, scheme.bits)), groups}});
  }
  specs.push_back({module.name + ".weight_scale", scale_dtype(float_dtype), {rows, groups}});
  return specs;
}

std::vector<std::vector<std::byte>> encode(const QuantizedMatrix& matrix, const Scheme& scheme,
                                           DType float_dtype, int n_threads) {
  assert(matrix.bits == scheme.bits && matrix.n_groups() == scheme.n_groups(matrix.columns));
  assert(matrix.group_of.empty());
  const std::array<std::int64_t, 2> shape = {extent(matrix.rows), extent(matrix.columns)};
  const std::vector<std::uint32_t> packed =
      pack(matrix.codes, matrix.rows, matrix.columns, matrix.bits, n_threads);
  std::vector<std::vector<std::byte>> data = {bytes_of(std::span<const std::int64_t>(shape)),
                                              bytes_of(std::span(packed))};
  if (!scheme.symmetric) {
    const std::size_t groups = matrix.n_groups();
    const std::vector<std::uint32_t> zeros = transposed(
        pack(transposed(matrix.zeros, matrix.rows, groups), groups, matrix.rows, matrix.bits),
        groups, packed_words(matrix.rows, matrix.bits));
    data.push_back(bytes_of(std::span(zeros)));
  }
  const std::vector<std::uint16_t> scales = narrowed(matrix.scales, scale_dtype(float_dtype));
  data.push_back(bytes_of(std::span(scales)));
  return data;
}

std::vector<std::uint8_t> read_zeros(const StoredLinear& linear, const QuantizedMatrix& matrix,
                                     const Scheme& scheme) {
  if (scheme.symmetric) {
    return std::vector<std::uint8_t>(matrix.zeros.size(),
                                     static_cast<std::uint8_t>(1 << (scheme.bits - 1)));
  }
  const std::size_t groups = matrix.n_groups();
  const std::size_t out_words = packed_words(matrix.rows, scheme.bits);
  const std::vector<std::uint32_t> words =
      linear.words("weight_zero_point", {extent(out_words), extent(groups)});
  return transposed(unpack(transposed(words, out_words, groups), groups, matrix.rows, scheme.bits),
                    groups, matrix.rows);
}

std::optional<Scheme> scheme_of(const tensor::TensorSource& source, std::string_view module,
                                std::size_t columns) {
  const StoredLinear linear(source, module);
  const tensor::TensorInfo* const packed = linear.find("weight_packed");
  const tensor::TensorInfo* const scales = linear.find("weight_scale");
  if (packed == nullptr || scales == nullptr) return std::nullopt;
  if (packed->shape.size() != 2 || scales->shape.size() != 2) return std::nullopt;
  return scheme_of_sizes(packed->shape[1], columns, scales->shape[1],
                         linear.find("weight_zero_point") == nullptr);
}

QuantizedMatrix decode(const tensor::TensorSource& source, std::string_view module,
                       const Scheme& scheme) {
  const StoredLinear linear(source, module);
  const tensor::Shape packed = linear.matrix("weight_packed", DType::kI32, 2).shape;
  const std::vector<std::int64_t> shape = linear.integers("weight_shape", {2});
  // Above this the words of a row would not fit into 64 bits either.
  constexpr std::int64_t kMostColumns = std::int64_t{1} << 48;
  if (shape[0] != packed[0] || shape[1] < 1 || shape[1] > kMostColumns ||
      extent(packed_words(static_cast<std::size_t>(shape[1]), scheme.bits)) != packed[1]) {
    linear.fail(
        fmt::format("`weight_shape` says [{}, {}], which do not pack into `weight_packed` "
                    "[{}, {}] at {} bits",
                    shape[0], shape[1], packed[0], packed[1], scheme.bits));
  }
  const auto rows = static_cast<std::size_t>(shape[0]),
             columns = static_cast<std::size_t>(shape[1]);
  QuantizedMatrix matrix(rows, columns, scheme.columns_per_group(columns), scheme.bits);
  matrix.codes = unpack(linear.words("weight_packed", packed), rows, columns, scheme.bits);
  matrix.scales = linear.floats("weight_scale", {extent(rows), extent(matrix.n_groups())});
  matrix.zeros = read_zeros(linear, matrix, scheme);
  return matrix;
}

/// Only keys that the library knows: it refuses a scheme with others.
nlohmann::ordered_json scheme_json(const Scheme& scheme) {
  nlohmann::ordered_json weights = {{"num_bits", scheme.bits},
                                    {"type", "int"},
                                    {"symmetric", scheme.symmetric},
                                    {"strategy", scheme.group_size == 0 ? "channel" : "group"},
                                    {"group_size", nullptr},
                                    {"dynamic", false},
                                    {"actorder", nullptr}};
  if (scheme.group_size != 0) weights["group_size"] = scheme.group_size;
  if (!scheme.symmetric) weights["zp_dtype"] = "torch.int8";
  return weights;
}

struct ConfigGroup {
  Scheme scheme;
  std::vector<std::string> targets;
};

/// Names before classes: readers take the first target that fits, and a joined matrix such as
/// qkv_proj is a "Linear" to them before they ask for its members.
std::vector<ConfigGroup> config_groups(const QuantizationFacts& facts) {
  std::vector<ConfigGroup> groups;
  const auto add = [&](const Scheme& scheme, std::string target) {
    const auto same = std::ranges::find(groups, scheme, &ConfigGroup::scheme);
    ConfigGroup& group =
        same == groups.end() ? groups.emplace_back(ConfigGroup{scheme, {}}) : *same;
    group.targets.push_back(std::move(target));
  };
  for (const ModuleRule& rule : override_rules(facts)) {
    if (rule.scheme) add(*rule.scheme, "re:" + rule.pattern);
  }
  // The class of the output matrix is no "Linear" in every reader.
  const Module* output = output_module(facts);
  const bool quantized_output = output != nullptr && output->scheme;
  if (quantized_output && output->scheme != facts.scheme) {
    add(*output->scheme, "re:.*" + output->name);
  }
  add(facts.scheme, "Linear");
  if (quantized_output && output->scheme == facts.scheme) {
    add(facts.scheme, "re:.*" + output->name);
  }
  return groups;
}

std::vector<std::string> ignored(const QuantizationFacts& facts) {
  std::vector<std::string> names;
  for (const Module& module : facts.modules) {
    if (!module.scheme) names.push_back(module.name);
  }
  names.insert(names.end(), facts.other_linears.begin(), facts.other_linears.end());
  if (has_draft_heads(facts)) names.emplace_back("re:.*mtp.*");
  return names;
}

nlohmann::ordered_json config(const QuantizationFacts& facts) {
  require_fused_alike(facts.modules);
  nlohmann::ordered_json groups;
  for (const ConfigGroup& group : config_groups(facts)) {
    groups["group_" + std::to_string(groups.size())] = {{"targets", group.targets},
                                                        {"format", kPacking},
                                                        {"input_activations", nullptr},
                                                        {"output_activations", nullptr},
                                                        {"weights", scheme_json(group.scheme)}};
  }
  return {{"quant_method", "compressed-tensors"},
          {"format", kPacking},
          {"quantization_status", "compressed"},
          {"version", "0.15.0"},
          {"global_compression_ratio", nullptr},
          {"kv_cache_scheme", nullptr},
          {"sparsity_config", nlohmann::ordered_json::object()},
          {"transform_config", nlohmann::ordered_json::object()},
          {"ignore", ignored(facts)},
          {"config_groups", std::move(groups)}};
}

}  // namespace

constinit const Format kCompressedTensors = {.name = "compressed-tensors",
                                             .bits = kBits,
                                             .lowest_zero = 0,
                                             .has_group_index = false,
                                             .scale_dtype = scale_dtype,
                                             .shape_problem = shape_problem,
                                             .tensors = tensors,
                                             .encode = encode,
                                             .scheme_of = scheme_of,
                                             .decode = decode,
                                             .config = config,
                                             .config_copy = {}};

}  // namespace lq::hf

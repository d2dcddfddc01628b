// GPTQ checkpoints. Codes are packed along the inputs and zero points along the outputs, both in
// natural order; the matrix of words is the transpose of what pack() gives for W [out, in].
//
//   qweight  I32 [in * bits / 32, out]      qzeros  I32 [groups, out * bits / 32]
//   scales   F16 [groups, out]              g_idx   I32 [in], the group of each input
//
// The two conventions differ in the stored zero points alone: z - 1 in "gptq" (v1), z in "gptq_v2".
// So v1 has no place for z = 0. Readers give a v1 file that holds 2^bits - 1 anyway (0 - 1, with or
// without a borrow from the neighbours) different meanings, hence it is refused.

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
// Of rows and columns: the kernels' unit, and with it whole words at every number of bits.
constexpr std::size_t kMultiple = 32;

DType scale_dtype(DType /*float_dtype*/) { return DType::kF16; }

std::string shape_problem(std::size_t rows, std::size_t columns, const Scheme& scheme) {
  if (columns % kMultiple != 0) {
    return fmt::format("has {} columns, which are no multiple of {}", columns, kMultiple);
  }
  if (rows % kMultiple != 0) {
    return fmt::format("has {} rows, which are no multiple of {}", rows, kMultiple);
  }
  if (scheme.group_size != 0 && columns % scheme.group_size != 0) {
    return fmt::format("has {} columns, which are no whole number of groups of {}", columns,
                       scheme.group_size);
  }
  return {};
}

std::vector<safetensors::TensorSpec> tensors(const Module& module, DType /*float_dtype*/) {
  const Scheme& scheme = *module.scheme;
  const std::int64_t groups = extent(scheme.n_groups(module.columns));
  const std::int64_t in_words = extent(packed_words(module.columns, scheme.bits));
  const std::int64_t out_words = extent(packed_words(module.rows, scheme.bits));
  return {{module.name + ".qweight", DType::kI32, {in_words, extent(module.rows)}},
          {module.name + ".qzeros", DType::kI32, {groups, out_words}},
          {module.name + ".g_idx", DType::kI32, {extent(module.columns)}},
          {module.name + ".scales", DType::kF16, {groups, extent(module.rows)}}};
}

std::vector<std::int32_t> group_index(const QuantizedMatrix& matrix) {
  if (!matrix.group_of.empty()) return matrix.group_of;
  std::vector<std::int32_t> index(matrix.columns);
  for (std::size_t column = 0; column < matrix.columns; ++column) {
    index[column] = static_cast<std::int32_t>(matrix.group(column));
  }
  return index;
}

template <int kZeroOffset>
std::vector<std::vector<std::byte>> encode(const QuantizedMatrix& matrix,
                                           [[maybe_unused]] const Scheme& scheme, DType float_dtype,
                                           int n_threads) {
  assert(matrix.bits == scheme.bits && matrix.n_groups() == scheme.n_groups(matrix.columns));
  const std::size_t in_words = packed_words(matrix.columns, matrix.bits);
  const std::vector<std::uint32_t> qweight =
      transposed(pack(matrix.codes, matrix.rows, matrix.columns, matrix.bits, n_threads),
                 matrix.rows, in_words, n_threads);
  std::vector<std::uint8_t> zeros = transposed(matrix.zeros, matrix.rows, matrix.n_groups());
  for (std::uint8_t& zero : zeros) {
    assert(zero >= kZeroOffset);
    zero = static_cast<std::uint8_t>(zero - kZeroOffset);
  }
  const std::vector<std::uint32_t> qzeros =
      pack(zeros, matrix.n_groups(), matrix.rows, matrix.bits);
  const std::vector<std::uint16_t> scales =
      transposed(narrowed(matrix.scales, scale_dtype(float_dtype)), matrix.rows, matrix.n_groups());
  return {bytes_of(std::span(qweight)), bytes_of(std::span(qzeros)),
          bytes_of(std::span<const std::int32_t>(group_index(matrix))),
          bytes_of(std::span(scales))};
}

/// Empty when each column is in the group of its place.
std::vector<std::int32_t> read_group_index(const StoredLinear& linear,
                                           const QuantizedMatrix& matrix) {
  if (linear.find("g_idx") == nullptr) return {};
  const std::vector<std::uint32_t> words = linear.words("g_idx", {extent(matrix.columns)});
  std::vector<std::int32_t> index(words.size());
  for (std::size_t column = 0; column < words.size(); ++column) {
    index[column] = static_cast<std::int32_t>(words[column]);
    if (words[column] >= matrix.n_groups()) {
      linear.fail(fmt::format("`g_idx` puts column {} into group {} of {}", column, index[column],
                              matrix.n_groups()));
    }
  }
  return index == group_index(matrix) ? std::vector<std::int32_t>() : index;
}

std::optional<Scheme> scheme_of(const tensor::TensorSource& source, std::string_view module,
                                std::size_t columns) {
  const StoredLinear linear(source, module);
  const tensor::TensorInfo* const qweight = linear.find("qweight");
  const tensor::TensorInfo* const scales = linear.find("scales");
  if (qweight == nullptr || scales == nullptr) return std::nullopt;
  if (qweight->shape.size() != 2 || scales->shape.size() != 2) return std::nullopt;
  return scheme_of_sizes(qweight->shape[0], columns, scales->shape[0], false);
}

template <int kZeroOffset>
QuantizedMatrix decode(const tensor::TensorSource& source, std::string_view module,
                       const Scheme& scheme) {
  const StoredLinear linear(source, module);
  const tensor::Shape shape = linear.matrix("qweight", DType::kI32, 2).shape;
  const auto in_words = static_cast<std::size_t>(shape[0]);
  const auto rows = static_cast<std::size_t>(shape[1]);
  const std::size_t columns = in_words * kWordBits / static_cast<std::size_t>(scheme.bits);
  if (packed_words(columns, scheme.bits) * kWordBits !=
      columns * static_cast<std::size_t>(scheme.bits)) {
    linear.fail(fmt::format("the {} rows of `qweight` are no whole number of codes of {} bits",
                            in_words, scheme.bits));
  }
  QuantizedMatrix matrix(rows, columns, scheme.columns_per_group(columns), scheme.bits);
  const std::size_t groups = matrix.n_groups();
  matrix.codes = unpack(transposed(linear.words("qweight", shape), in_words, rows), rows, columns,
                        scheme.bits);
  const std::size_t out_words = packed_words(rows, scheme.bits);
  matrix.zeros = unpack(linear.words("qzeros", {extent(groups), extent(out_words)}), groups, rows,
                        scheme.bits);
  for (std::size_t i = 0; kZeroOffset != 0 && i < matrix.zeros.size(); ++i) {
    if (++matrix.zeros[i] < 1 << scheme.bits && matrix.zeros[i] != 0) continue;
    linear.fail(
        fmt::format("the zero point of output {} in group {} is stored as {}, which runtimes "
                    "read in different ways",
                    i % rows, i / rows, (1 << scheme.bits) - 1));
  }
  matrix.zeros = transposed(matrix.zeros, groups, rows);
  const std::vector<float> scales = linear.floats("scales", {extent(groups), extent(rows)});
  for (std::size_t i = 0; i < scales.size(); ++i) {
    matrix.scales[i % rows * groups + i / rows] = scales[i];
  }
  matrix.group_of = read_group_index(linear, matrix);
  return matrix;
}

nlohmann::ordered_json rule_of(const Scheme& scheme) {
  return {
      {"bits", scheme.bits}, {"group_size", stated_group_size(scheme)}, {"sym", scheme.symmetric}};
}

/// First match wins in every reader; no two of these rules hit the same module.
nlohmann::ordered_json dynamic_rules(const QuantizationFacts& facts) {
  nlohmann::ordered_json rules = nlohmann::ordered_json::object();
  for (const std::string& pattern : other_linear_patterns(facts)) {
    rules["-:" + pattern] = nlohmann::ordered_json::object();
  }
  for (const ModuleRule& rule : override_rules(facts)) {
    if (rule.scheme) {
      rules["+:" + rule.pattern] = rule_of(*rule.scheme);
    } else {
      rules["-:" + rule.pattern] = nlohmann::ordered_json::object();
    }
  }
  const Module* output = output_module(facts);
  if (output != nullptr && output->scheme && output->scheme != facts.scheme) {
    rules["+:" + output->name + "$"] = rule_of(*output->scheme);
  }
  return rules;
}

template <int kZeroOffset>
nlohmann::ordered_json config(const QuantizationFacts& facts) {
  require_fused_alike(facts.modules);
  const Module* output = output_module(facts);
  nlohmann::ordered_json json = {{"bits", facts.scheme.bits},
                                 {"group_size", stated_group_size(facts.scheme)},
                                 {"sym", facts.scheme.symmetric},
                                 {"desc_act", facts.desc_act},
                                 {"lm_head", output != nullptr && output->scheme.has_value()},
                                 {"quant_method", "gptq"},
                                 {"checkpoint_format", kZeroOffset == 1 ? "gptq" : "gptq_v2"},
                                 {"true_sequential", facts.true_sequential},
                                 {"static_groups", !facts.desc_act},
                                 {"damp_percent", facts.damp_percent},
                                 {"pack_dtype", "int32"}};
  nlohmann::ordered_json rules = dynamic_rules(facts);
  if (!rules.empty()) json["dynamic"] = std::move(rules);
  json["meta"] = {{"quantizer", {facts.quantizer}},
                  {"damp_percent", facts.damp_percent},
                  {"static_groups", !facts.desc_act},
                  {"true_sequential", facts.true_sequential}};
  return json;
}

constexpr std::string_view kConfigCopy = "quantize_config.json";

}  // namespace

constinit const Format kGptq = {.name = "gptq",
                                .bits = kBits,
                                .lowest_zero = 1,
                                .has_group_index = true,
                                .scale_dtype = scale_dtype,
                                .shape_problem = shape_problem,
                                .tensors = tensors,
                                .encode = encode<1>,
                                .scheme_of = scheme_of,
                                .decode = decode<1>,
                                .config = config<1>,
                                .config_copy = kConfigCopy};
constinit const Format kGptqV2 = {.name = "gptq_v2",
                                  .bits = kBits,
                                  .lowest_zero = 0,
                                  .has_group_index = true,
                                  .scale_dtype = scale_dtype,
                                  .shape_problem = shape_problem,
                                  .tensors = tensors,
                                  .encode = encode<0>,
                                  .scheme_of = scheme_of,
                                  .decode = decode<0>,
                                  .config = config<0>,
                                  .config_copy = kConfigCopy};

}  // namespace lq::hf

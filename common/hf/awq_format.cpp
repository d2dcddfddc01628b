// AWQ checkpoints, version "gemm". Four bits, packed along the outputs: a word covers eight of them,
// and nibble i (from the lowest) holds output 8 b + kOrder[i]. Zero points are packed alike and
// stored as they are.
//
//   qweight  I32 [in, out / 8]      qzeros  I32 [groups, out / 8]      scales  F16 [groups, out]

#include <algorithm>
#include <array>
#include <cassert>
#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/hf/bit_packing.h"
#include "common/hf/format_rows.h"
#include "common/hf/module_rules.h"
#include "common/hf/stored_tensors.h"

namespace lq::hf {
namespace {

using tensor::DType;
using tensor::QuantizedMatrix;

constexpr std::array kBits = {4};
constexpr std::size_t kWordCodes = 8;
constexpr std::array<std::size_t, kWordCodes> kOrder = {0, 2, 4, 6, 1, 3, 5, 7};

DType scale_dtype(DType /*float_dtype*/) { return DType::kF16; }

std::string shape_problem(std::size_t rows, std::size_t columns, const Scheme& scheme) {
  if (rows % kWordCodes != 0) {
    return fmt::format("has {} rows, which are no multiple of {}", rows, kWordCodes);
  }
  if (scheme.group_size != 0 && columns % scheme.group_size != 0) {
    return fmt::format("has {} columns, which are no whole number of groups of {}", columns,
                       scheme.group_size);
  }
  return {};
}

std::vector<safetensors::TensorSpec> tensors(const Module& module, DType float_dtype) {
  const std::int64_t groups = extent(module.scheme->n_groups(module.columns));
  const std::int64_t words = extent(module.rows / kWordCodes);
  return {{module.name + ".qweight", DType::kI32, {extent(module.columns), words}},
          {module.name + ".qzeros", DType::kI32, {groups, words}},
          {module.name + ".scales", scale_dtype(float_dtype), {groups, extent(module.rows)}}};
}

/// [n, out] in words of eight outputs. REQUIRES: codes.size() is a multiple of 8.
std::vector<std::byte> packed(std::vector<std::uint8_t> codes, std::size_t n, int n_threads) {
  for (std::size_t block = 0; block < codes.size(); block += kWordCodes) {
    std::array<std::uint8_t, kWordCodes> word;
    for (std::size_t i = 0; i < kWordCodes; ++i) word[i] = codes[block + kOrder[i]];
    std::ranges::copy(word, codes.begin() + static_cast<std::ptrdiff_t>(block));
  }
  return bytes_of(
      std::span<const std::uint32_t>(pack(codes, n, codes.size() / n, kBits[0], n_threads)));
}

std::vector<std::uint8_t> unpacked(const std::vector<std::uint32_t>& words, std::size_t n,
                                   std::size_t outputs) {
  const std::vector<std::uint8_t> nibbles = unpack(words, n, outputs, kBits[0]);
  std::vector<std::uint8_t> codes(nibbles.size());
  for (std::size_t i = 0; i < nibbles.size(); ++i) {
    codes[i / kWordCodes * kWordCodes + kOrder[i % kWordCodes]] = nibbles[i];
  }
  return codes;
}

std::vector<std::vector<std::byte>> encode(const QuantizedMatrix& matrix,
                                           [[maybe_unused]] const Scheme& scheme, DType float_dtype,
                                           int n_threads) {
  assert(matrix.bits == kBits[0] && matrix.n_groups() == scheme.n_groups(matrix.columns));
  assert(matrix.group_of.empty());
  const std::size_t groups = matrix.n_groups();
  const std::vector<std::uint16_t> scales =
      transposed(narrowed(matrix.scales, scale_dtype(float_dtype)), matrix.rows, groups);
  return {packed(transposed(matrix.codes, matrix.rows, matrix.columns, n_threads), matrix.columns,
                 n_threads),
          packed(transposed(matrix.zeros, matrix.rows, groups), groups, n_threads),
          bytes_of(std::span(scales))};
}

std::optional<Scheme> scheme_of(const tensor::TensorSource& source, std::string_view module,
                                std::size_t columns) {
  const StoredLinear linear(source, module);
  const tensor::TensorInfo* const scales = linear.find("scales");
  if (linear.find("qweight") == nullptr || scales == nullptr) return std::nullopt;
  if (scales->shape.size() != 2) return std::nullopt;
  return scheme_of_sizes(extent(packed_words(columns, kBits.front())), columns, scales->shape[0],
                         false);
}

QuantizedMatrix decode(const tensor::TensorSource& source, std::string_view module,
                       const Scheme& scheme) {
  const StoredLinear linear(source, module);
  const tensor::Shape shape = linear.matrix("qweight", DType::kI32, 2).shape;
  const auto columns = static_cast<std::size_t>(shape[0]);
  const std::size_t rows = static_cast<std::size_t>(shape[1]) * kWordCodes;
  QuantizedMatrix matrix(rows, columns, scheme.columns_per_group(columns), kBits[0]);
  const std::size_t groups = matrix.n_groups();
  matrix.codes = transposed(unpacked(linear.words("qweight", shape), columns, rows), columns, rows);
  matrix.zeros = transposed(
      unpacked(linear.words("qzeros", {extent(groups), shape[1]}), groups, rows), groups, rows);
  const std::vector<float> scales = linear.floats("scales", {extent(groups), extent(rows)});
  for (std::size_t i = 0; i < scales.size(); ++i) {
    matrix.scales[i % rows * groups + i / rows] = scales[i];
  }
  return matrix;
}

[[noreturn]] void fail_config(std::string why, std::string fix) {
  throw base::UnsupportedError("cannot write an AWQ checkpoint of this model", std::move(why),
                               std::move(fix));
}

/// Entries are looked for anywhere in a module name.
std::vector<std::string> not_converted(const QuantizationFacts& facts) {
  std::vector<std::string> entries;
  for (const Module& module : facts.modules) {
    if (!module.scheme) entries.push_back(module.name);
  }
  entries.insert(entries.end(), facts.other_linears.begin(), facts.other_linears.end());
  if (has_draft_heads(facts)) entries.emplace_back("mtp");
  for (const std::string& entry : entries) {
    for (const Module& module : facts.modules) {
      if (!module.scheme || module.name.find(entry) == std::string::npos) continue;
      fail_config(
          fmt::format("its list of float modules names parts of names, and `{}` is a part of "
                      "the quantized `{}`",
                      base::escape_controls(entry), base::escape_controls(module.name)),
          "quantize both or neither, or choose another format");
    }
  }
  return entries;
}

nlohmann::ordered_json config(const QuantizationFacts& facts) {
  require_fused_alike(facts.modules);
  for (const Module& module : facts.modules) {
    if (!module.scheme || *module.scheme == facts.scheme) continue;
    fail_config(fmt::format("the format has one scheme for all modules, and `{}` would have {} in "
                            "place of {}",
                            base::escape_controls(module.name), describe(module.scheme),
                            describe(facts.scheme)),
                "leave out the override, or choose another format");
  }
  // A symmetric grid is written as an asymmetric one with every zero point in the middle: files
  // without zero points are not read by all.
  nlohmann::ordered_json json = {{"quant_method", "awq"},
                                 {"bits", facts.scheme.bits},
                                 {"group_size", stated_group_size(facts.scheme)},
                                 {"zero_point", true},
                                 {"version", "gemm"},
                                 {"modules_to_not_convert", nullptr}};
  const Module* output = output_module(facts);
  if (output != nullptr && output->scheme) json["lm_head"] = true;
  std::vector<std::string> entries = not_converted(facts);
  if (!entries.empty()) json["modules_to_not_convert"] = std::move(entries);
  return json;
}

}  // namespace

constinit const Format kAwq = {.name = "awq",
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

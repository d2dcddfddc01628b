#pragma once
// The formats of quantized model directories: which tensors a linear becomes, and the way there and
// back. format_table.cpp is the one list; a new format is one file, one row there, and its name
// among the options of its tool.
//
//   gptq, gptq_v2         <m>.qweight I32 [in * bits / 32, out], <m>.qzeros I32
//                         [groups, out * bits / 32], <m>.g_idx I32 [in], <m>.scales F16 [groups, out]
//   compressed-tensors    <m>.weight_shape I64 [2], <m>.weight_packed I32 [out, in * bits / 32],
//                         <m>.weight_zero_point I32 [out * bits / 32, groups] of an asymmetric grid,
//                         <m>.weight_scale [out, groups] in the type of the float tensors
//   awq                   <m>.qweight I32 [in, out / 8], <m>.qzeros I32 [groups, out / 8],
//                         <m>.scales F16 [groups, out]

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/hf/quantization_facts.h"
#include "common/hf/scheme.h"
#include "common/safetensors/layout.h"
#include "common/tensor/quantized_matrix.h"
#include "common/tensor/tensor_source.h"

namespace lq::hf {

struct Format {
  std::string_view name;  // as an option has it: "gptq_v2"
  std::span<const int> bits;
  /// The lowest zero point that an asymmetric grid can have.
  int lowest_zero;
  /// Whether columns may be grouped by importance (QuantizedMatrix::group_of).
  bool has_group_index;

  /// The type of the scales in a model whose float tensors are of type `float_dtype`.
  tensor::DType (*scale_dtype)(tensor::DType float_dtype);
  /// Why a linear [rows, columns] cannot be stored in `scheme`, as the end of a sentence ("has 100
  /// columns, which are no multiple of 32"); empty when it can.
  std::string (*shape_problem)(std::size_t rows, std::size_t columns, const Scheme& scheme);
  /// The tensors of a linear, in file order: widest elements first. REQUIRES: it has a scheme.
  std::vector<safetensors::TensorSpec> (*tensors)(const Module& module, tensor::DType float_dtype);
  /// Their bytes, in the same order. REQUIRES: the matrix is of that scheme, its zeros are not below
  /// lowest_zero (of a symmetric grid: all 2^(bits - 1)), its scales are exact in scale_dtype(), and
  /// group_of is empty where the format has no group index.
  std::vector<std::vector<std::byte>> (*encode)(const tensor::QuantizedMatrix& matrix,
                                                const Scheme& scheme, tensor::DType float_dtype,
                                                int n_threads);
  /// How the linear `module` of so many columns is stored, by the shapes of its tensors; symmetry
  /// is told only where the format leaves zero points out. Empty when it is not there in this format.
  std::optional<Scheme> (*scheme_of)(const tensor::TensorSource& source, std::string_view module,
                                     std::size_t columns);
  /// The linear `module` of a checkpoint, read as `scheme` says. Throws ValidationError when
  /// something is missing, of another shape or type, or out of range.
  tensor::QuantizedMatrix (*decode)(const tensor::TensorSource& source, std::string_view module,
                                    const Scheme& scheme);

  /// The `quantization_config` of config.json. Throws UnsupportedError for what the format or its
  /// runtimes have no words for.
  nlohmann::ordered_json (*config)(const QuantizationFacts& facts);
  /// A file that holds the same object once more; empty: none.
  std::string_view config_copy;
};

std::span<const Format* const> formats();
/// nullptr when there is none of that name.
const Format* find_format(std::string_view name);

}  // namespace lq::hf

#pragma once
// What the configuration of a quantized model tells its runtimes.

#include <string>
#include <vector>

#include "common/hf/scheme.h"

namespace lq::hf {

struct QuantizationFacts {
  /// Every linear of the decoder layers, and the output matrix where the model has one of its own.
  std::vector<Module> modules;
  Scheme scheme;  // of each quantized module that has no other
  /// Matrices outside the decoder layers, without ".weight": draft heads, towers. All stay float.
  std::vector<std::string> other_linears;
  bool desc_act = false;  // columns are grouped by importance
  bool true_sequential = false;
  double damp_percent = 0.01;
  std::string quantizer;  // "lq-quant-gptq:0.1.0"
};

}  // namespace lq::hf

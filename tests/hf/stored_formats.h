#pragma once
// Quantized linears of tests: written to a safetensors file and read back.

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "common/hf/format.h"
#include "common/safetensors/reader.h"
#include "tests/support/scratch.h"

namespace lq::testing {

/// A matrix that the format can hold: random codes and zero points, scales of few bits, some of
/// them negative.
inline tensor::QuantizedMatrix random_matrix(std::size_t rows, std::size_t columns,
                                             const hf::Scheme& scheme, int lowest_zero,
                                             unsigned seed = 1) {
  std::mt19937 random(seed);
  tensor::QuantizedMatrix matrix(rows, columns, scheme.group_size, scheme.bits);
  const auto levels = static_cast<unsigned>(1 << scheme.bits);
  for (std::uint8_t& code : matrix.codes) code = static_cast<std::uint8_t>(random() % levels);
  for (float& scale : matrix.scales) {
    scale = static_cast<float>(random() % 100 + 1) / (random() % 4 == 0 ? -256.0F : 256.0F);
  }
  const auto lowest = static_cast<unsigned>(lowest_zero);
  for (std::uint8_t& zero : matrix.zeros) {
    zero = static_cast<std::uint8_t>(scheme.symmetric ? levels / 2
                                                      : lowest + random() % (levels - lowest));
  }
  return matrix;
}

inline hf::Module module_of(const tensor::QuantizedMatrix& matrix, const hf::Scheme& scheme,
                            const std::string& name = "m") {
  hf::Module module;
  module.name = name;
  module.rows = matrix.rows;
  module.columns = matrix.columns;
  module.scheme = scheme;
  return module;
}

inline std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// As the format writes it, in a file.
inline std::unique_ptr<safetensors::Reader> stored(
    const ScratchDirectory& scratch, const std::vector<safetensors::TensorSpec>& specs,
    const std::vector<std::vector<std::byte>>& data) {
  std::vector<std::string> texts;
  for (const std::vector<std::byte>& bytes : data) texts.push_back(text_of(bytes));
  return std::make_unique<safetensors::Reader>(
      scratch.write("m.safetensors", safetensors::serialize(specs, texts)));
}

}  // namespace lq::testing

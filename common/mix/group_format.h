#pragma once
// AWQ and GPTQ checkpoints as planned from the shapes of the source: which tensors stand in place
// of each linear layer, and through safetensors::lay_out the exact size of the files.
//
// A linear layer of [rows, columns] (outputs, inputs), B bits a weight and G groups along the
// columns becomes
//
//   AWQ     qweight int32 [columns, rows*B/32]   qzeros int32 [G, rows*B/32]   scales f16 [G, rows]
//   GPTQ    qweight int32 [columns*B/32, rows]   qzeros int32 [G, rows*B/32]   scales f16 [G, rows]
//           g_idx int32 [columns]
//
// Codes are one stream of bits through consecutive words, so that 32 codes of 3 bits fill 3 words.
// Neither format can pad: a dimension that is packed must fill whole words.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/model/gguf_model.h"
#include "common/safetensors/layout.h"
#include "common/tensor/tensor_source.h"

namespace lq::mix {

/// "AWQ-g128", "GPTQ-4bit-g64", "GPTQ-8bit-g-1"
struct GroupFormat {
  bool awq = false;
  int bits = 4;
  std::int64_t group_size = 128;  // -1 = the whole row
  std::string name() const;
};

/// Case does not matter; bits (4) and group size (128) may be left out.
std::optional<GroupFormat> parse_group_format(const std::string& text);

/// A linear layer: the name of its weight without ".weight", and the weight's shape.
struct LinearLayer {
  std::string name;
  std::int64_t rows = 0, columns = 0;
};

/// Why the format cannot hold the layer, a sentence that names it; empty when it can.
std::string misfit(const LinearLayer& layer, const GroupFormat& format);

/// The tensors that stand in place of the layer's weight. Of a layer that does not fit, words and
/// groups are rounded up.
std::vector<safetensors::TensorSpec> packed_tensors(const LinearLayer& layer,
                                                    const GroupFormat& format);

struct GroupFileSizes {
  std::uint64_t file_bytes = 0;  // of all safetensors files; exact when nothing is refused
  std::string refused;           // misfit() of the first layer that has one; empty for none
};
/// `tensors` are model::gguf_tensors() of the checkpoint that `weights` belongs to.
GroupFileSizes group_file_sizes(const tensor::TensorSource& weights,
                                std::span<const model::GgufTensor> tensors,
                                const GroupFormat& format);

}  // namespace lq::mix

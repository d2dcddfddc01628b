#pragma once
// The sizes of AWQ and GPTQ checkpoints, tensor by tensor, from the shapes of the source.

#include <cstdint>
#include <optional>
#include <string>

#include "common/model/checkpoint.h"
#include "common/model/gguf_model.h"

namespace lq::inspect {

/// "AWQ-g128", "GPTQ-4bit-g64", "GPTQ-8bit-g-1"
struct GroupFormat {
  bool awq = false;
  int bits = 4;
  std::int64_t group_size = 128;  // -1 = the whole row
  std::string name() const;
};

/// Case does not matter; bits (4) and group size (128) may be left out.
std::optional<GroupFormat> parse_group_format(const std::string& text);

struct GroupEstimate {
  std::uint64_t file_bytes = 0;       // of the safetensors files
  std::uint64_t quantized_elems = 0;  // weights in groups
  std::string refused;  // the first layer whose columns the group size does not divide
};
GroupEstimate estimate_group_format(const model::Checkpoint& checkpoint,
                                    const std::vector<model::GgufTensor>& tensors,
                                    const GroupFormat& format);

}  // namespace lq::inspect

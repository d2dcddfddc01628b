#pragma once
// Which type each tensor of a file gets: llama.cpp's rules for its file types, as a table (mix_table.cpp).

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/codec/codec.h"
#include "common/model/gguf_model.h"

namespace lq::mix {

struct FileType {
  std::string_view name;           // canonical spelling: "Q4_K_M"
  std::uint32_t id;                // general.file_type
  codec::QuantType base;           // what a tensor gets unless a rule says otherwise
  // (rules per role follow in mix_table.cpp's row type)
};

/// Case does not matter; "Q4_K" means "Q4_K_M". Throws UsageError naming the nearest spelling.
const FileType& find_file_type(std::string_view name);
std::span<const FileType> file_types();

/// The user's own wishes over a mix.
struct MixOverrides {
  struct Pattern {
    std::string regex;  // searched in the GGUF tensor name, first match wins
    codec::QuantType type;
  };
  std::vector<Pattern> patterns;
  std::optional<codec::QuantType> output, embedding;
  bool pure = false;
};

struct TensorChoice {
  codec::QuantType type;
  std::optional<codec::QuantType> fallback_from;  // set when the row length forced another type
};

/// One choice per tensor, in order. REQUIRES: `tensors` sorted as gguf_tensors() sorts them.
std::vector<TensorChoice> choose_types(const FileType& file_type, std::span<const model::GgufTensor> tensors,
                                       const model::ModelConfig& config, bool has_importance,
                                       const MixOverrides& overrides);

}  // namespace lq::mix

#pragma once
// Post-processors: the special tokens that a tokenizer puts around a text.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/text/tokenizer_part.h"

namespace lq::text {

struct SurroundingIds {
  std::vector<std::uint32_t> before, behind;
};

/// What is added to a single text; nothing for null. Kinds: TemplateProcessing, BertProcessing,
/// RobertaProcessing, ByteLevel (which only moves offsets), Sequence. Throws ValidationError,
/// UnsupportedError.
SurroundingIds read_post_processor(const TokenizerPart& part);

struct SurroundingToken {
  std::string text;
  std::uint32_t id = 0;
};
/// The post-processor, as tokenizer.json has it, that puts these tokens there.
nlohmann::json surrounding_template(const std::optional<SurroundingToken>& before,
                                    const std::optional<SurroundingToken>& behind);

}  // namespace lq::text

#pragma once
// Which tokens begin and end texts, and whether a tokenizer puts them there by itself.

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "common/text/token_table.h"
#include "common/text/tokenizer_files.h"
#include "common/text/vocabulary.h"

namespace lq::text {

/// Fills vocabulary.special_ids, add_bos and add_eos. A token named by tokenizer_config.json wins
/// over special_tokens_map.json, and that over `config_ids`; ids outside the vocabulary are
/// ignored. `tokenizer` is tokenizer.json or null.
void find_special_tokens(const TokenizerFiles& files, const nlohmann::json& tokenizer,
                         const std::map<std::string, std::uint32_t>& config_ids,
                         const TokenTable& table, Vocabulary& vocabulary);

}  // namespace lq::text

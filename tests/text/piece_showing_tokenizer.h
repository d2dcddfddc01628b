#pragma once
// A tokenizer.json whose ids show everything that happens before the model: its tokens are single
// bytes, with another id at the beginning of a piece than within it. Its added tokens have every
// flag.

#include <nlohmann/json.hpp>

#include "common/text/byte_level.h"

namespace lq::testing {

inline nlohmann::json added_token(const std::string& content, const std::string& flag,
                                  bool normalized, bool special) {
  nlohmann::json token = {{"id", 0},           {"content", content}, {"single_word", false},
                          {"lstrip", false},   {"rstrip", false},    {"normalized", normalized},
                          {"special", special}};
  if (!flag.empty()) token[flag] = true;
  return token;
}

/// The pre-tokenizer is followed by a ByteLevel step without its expression.
inline nlohmann::json piece_showing_tokenizer(const nlohmann::json& normalizer,
                                              const nlohmann::json& pretokenizer) {
  using nlohmann::json;
  json vocab = json::object();
  for (int byte = 0; byte < 256; ++byte) {
    std::string text;
    text::append_byte_characters(std::string(1, static_cast<char>(byte)), text);
    vocab[text] = byte;
    vocab["##" + text] = 256 + byte;
  }
  json steps = json::array();
  if (!pretokenizer.is_null()) steps.push_back(pretokenizer);
  steps.push_back({{"type", "ByteLevel"},
                   {"add_prefix_space", false},
                   {"trim_offsets", false},
                   {"use_regex", false}});
  json added = {
      added_token("<a>", "", false, true),        added_token("<b>", "lstrip", false, true),
      added_token("<c>", "rstrip", false, false), added_token("<d>", "single_word", false, false),
      added_token("<e>", "", true, false),        added_token("<E> ", "lstrip", true, true)};
  for (std::size_t i = 0; i < added.size(); ++i) added[i]["id"] = 512 + i;
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added},
          {"normalizer", normalizer},
          {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", steps}}},
          {"post_processor", nullptr},
          {"decoder", nullptr},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", "##"},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"vocab", vocab},
            {"merges", json::array()}}}};
}

}  // namespace lq::testing

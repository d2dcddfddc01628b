// The tokenizer of a synthetic model. Tokens 0 to 255 are the bytes; token 256 + 256 q + r is token
// q followed by byte r, so every token is reached by exactly one merge and no two are equal. The
// last two are begin and end of text.

#include <array>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "bench/model/synthetic_model.h"

namespace lq::bench {
namespace {

using Json = nlohmann::ordered_json;

std::string utf8(unsigned code_point) {  // below 0x800
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  return {static_cast<char>(0xC0 | (code_point >> 6)),
          static_cast<char>(0x80 | (code_point & 0x3F))};
}

/// GPT-2's printable stand-in for each byte: itself where it prints, else the next free one from
/// U+0100 on.
std::array<std::string, 256> byte_symbols() {
  std::array<std::string, 256> symbols;
  unsigned next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool prints = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
    symbols[byte] = utf8(prints ? byte : next++);
  }
  return symbols;
}

Json added_token(int id, const std::string& text) {
  return {{"id", id},        {"content", text},     {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

Json byte_level(bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", true},
          {"use_regex", use_regex}};
}

void write_json(const std::filesystem::path& path, const Json& json) {
  std::ofstream file(path);
  file << json.dump() << '\n';
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path.string());
}

constexpr const char* kBegin = "<|begin_of_text|>";
constexpr const char* kEnd = "<|end_of_text|>";
constexpr const char* kSplit =  // Llama 3's
    R"re((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re";

}  // namespace

void write_tokenizer(const std::filesystem::path& folder, int vocab) {
  const std::array<std::string, 256> bytes = byte_symbols();
  const auto n_model = static_cast<std::size_t>(vocab - 2);
  std::vector<std::string> tokens(bytes.begin(), bytes.end());
  std::vector<std::string> merges;
  for (std::size_t i = tokens.size(); i < n_model; ++i) {
    const std::string &left = tokens[(i - 256) / 256], &right = bytes[i % 256];
    merges.push_back(left + " " + right);
    tokens.push_back(left + right);
  }
  Json vocabulary = Json::object();
  // Appending to the ordered map directly: operator[] would search it for each of the entries.
  auto& entries = vocabulary.get_ref<Json::object_t&>();
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    static_cast<std::vector<Json::object_t::value_type>&>(entries).emplace_back(tokens[i], i);
  }
  const Json sequence = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const Json begin = {{"SpecialToken", {{"id", kBegin}, {"type_id", 0}}}};
  Json model = {{"type", "BPE"},
                {"unk_token", nullptr},
                {"byte_fallback", false},
                {"ignore_merges", false},
                {"merges", merges}};
  model["vocab"] = std::move(vocabulary);
  write_json(folder / "tokenizer.json",
             {{"version", "1.0"},
              {"added_tokens", {added_token(vocab - 2, kBegin), added_token(vocab - 1, kEnd)}},
              {"normalizer", nullptr},
              {"pre_tokenizer",
               {{"type", "Sequence"},
                {"pretokenizers",
                 {{{"type", "Split"},
                   {"pattern", {{"Regex", kSplit}}},
                   {"behavior", "Isolated"},
                   {"invert", false}},
                  byte_level(false)}}}},
              {"post_processor",
               {{"type", "TemplateProcessing"},
                {"single", {begin, sequence}},
                {"pair", {begin, sequence, sequence}},
                {"special_tokens",
                 {{kBegin, {{"id", kBegin}, {"ids", {vocab - 2}}, {"tokens", {kBegin}}}}}}}},
              {"decoder", byte_level(true)},
              {"model", std::move(model)}});
  write_json(folder / "tokenizer_config.json", {{"bos_token", kBegin},
                                                {"eos_token", kEnd},
                                                {"model_max_length", 4096},
                                                {"tokenizer_class", "PreTrainedTokenizerFast"}});
}

}  // namespace lq::bench

// BertNormalizer: controls removed, blanks made spaces, Chinese characters set apart, accents and
// case dropped.

#include "common/text/character_classes.h"
#include "common/text/normalizer.h"
#include "common/text/utf8.h"

namespace lq::text {
namespace {

bool is_chinese(char32_t value) {
  return (value >= 0x4E00 && value <= 0x9FFF) || (value >= 0x3400 && value <= 0x4DBF) ||
         (value >= 0x20000 && value <= 0x2A6DF) || (value >= 0x2A700 && value <= 0x2B73F) ||
         (value >= 0x2B740 && value <= 0x2B81F) || (value >= 0x2B920 && value <= 0x2CEAF) ||
         (value >= 0xF900 && value <= 0xFAFF) || (value >= 0x2F800 && value <= 0x2FA1F);
}

void append_clean(char32_t value, std::string& out) {
  if (value == 0 || value == 0xFFFD || is_control(value)) return;
  append_utf8(is_whitespace(value) ? U' ' : value, out);
}

void append_apart(char32_t value, std::string& out) {
  const bool apart = is_chinese(value);
  if (apart) out += ' ';
  append_utf8(value, out);
  if (apart) out += ' ';
}

void append_unless_accent(char32_t value, std::string& out) {
  if (!is_nonspacing_mark(value)) append_utf8(value, out);
}

}  // namespace

Normalizer make_bert_normalizer(const TokenizerPart& part) {
  const bool lower = part.flag("lowercase", true);
  return [clean = part.flag("clean_text", true), apart = part.flag("handle_chinese_chars", true),
          accents = !part.flag("strip_accents", lower), lower](std::string& text) {
    if (clean) rewrite_characters(text, append_clean);
    if (apart) rewrite_characters(text, append_apart);
    if (!accents) {
      decompose(text);
      rewrite_characters(text, append_unless_accent);
    }
    if (lower) rewrite_characters(text, append_lower_case);
  };
}

}  // namespace lq::text

#include "common/text/character_classes.h"

#include <utf8proc.h>

#include "common/text/unicode_tables.h"

namespace lq::text {
namespace {

utf8proc_category_t category(char32_t value) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(value));
}

bool between(char32_t value, char32_t first, char32_t last) {
  return first <= value && value <= last;
}

}  // namespace

bool is_whitespace(char32_t value) {
  return between(value, 0x09, 0x0D) || value == 0x20 || value == 0x85 || value == 0xA0 ||
         value == 0x1680 || between(value, 0x2000, 0x200A) || value == 0x2028 || value == 0x2029 ||
         value == 0x202F || value == 0x205F || value == 0x3000;
}

bool is_numeric(char32_t value) {
  const utf8proc_category_t kind = category(value);
  return kind == UTF8PROC_CATEGORY_ND || kind == UTF8PROC_CATEGORY_NL ||
         kind == UTF8PROC_CATEGORY_NO || number_since_unicode_15(value);
}

bool is_punctuation(char32_t value) {
  if (value < 0x80) {
    return between(value, '!', '/') || between(value, ':', '@') || between(value, '[', '`') ||
           between(value, '{', '~');
  }
  // These two were punctuation once.
  if (value == 0x166D || value == 0x111C9) return true;
  const utf8proc_category_t kind = category(value);
  return kind >= UTF8PROC_CATEGORY_PC && kind <= UTF8PROC_CATEGORY_PO &&
         !punctuation_since_unicode_8(value);
}

bool is_mark(char32_t value) {
  // These two were marks once.
  if (value == 0x1CF2 || value == 0x1CF3) return true;
  const utf8proc_category_t kind = category(value);
  return kind >= UTF8PROC_CATEGORY_MN && kind <= UTF8PROC_CATEGORY_ME &&
         !mark_since_unicode_9(value);
}

bool is_nonspacing_mark(char32_t value) {
  return category(value) == UTF8PROC_CATEGORY_MN && !mark_since_unicode_9(value);
}

bool is_control(char32_t value) {
  if (value == '\t' || value == '\n' || value == '\r') return false;
  const utf8proc_category_t kind = category(value);
  return kind == UTF8PROC_CATEGORY_CC || kind == UTF8PROC_CATEGORY_CF ||
         kind == UTF8PROC_CATEGORY_CS || kind == UTF8PROC_CATEGORY_CO;
}

bool is_word(char32_t value) {
  const utf8proc_category_t kind = category(static_cast<char32_t>(regex_stand_in(value)));
  const bool letter = kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO;
  const bool circled_letter = between(value, 0x24B6, 0x24E9) || between(value, 0x1F130, 0x1F149) ||
                              between(value, 0x1F150, 0x1F169) || between(value, 0x1F170, 0x1F189);
  const bool mark = kind >= UTF8PROC_CATEGORY_MN && kind <= UTF8PROC_CATEGORY_ME;
  return letter || circled_letter || mark || kind == UTF8PROC_CATEGORY_ND ||
         kind == UTF8PROC_CATEGORY_NL || kind == UTF8PROC_CATEGORY_PC || value == 0x200C ||
         value == 0x200D;
}

}  // namespace lq::text

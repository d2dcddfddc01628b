#include "common/text/normalizer.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utf8proc.h>
#include <utility>
#include <vector>

#include "common/text/byte_level.h"
#include "common/text/character_classes.h"
#include "common/text/split_regex.h"
#include "common/text/unicode_tables.h"
#include "common/text/utf8.h"

namespace lq::text {
namespace {

Normalizer make_lowercase(const TokenizerPart&) {
  return [](std::string& text) { rewrite_characters(text, append_lower_case); };
}

Normalizer make_strip_accents(const TokenizerPart&) {
  return [](std::string& text) {
    rewrite_characters(text, [](char32_t value, std::string& out) {
      if (!is_mark(value)) append_utf8(value, out);
    });
  };
}

Normalizer make_strip(const TokenizerPart& part) {
  return [left = part.flag("strip_left", true),
          right = part.flag("strip_right", true)](std::string& text) {
    std::size_t begin = 0, end = text.size();
    while (left && begin < end) {
      const CodePoint point = code_point_at(text, begin);
      if (!is_whitespace(point.value)) break;
      begin += point.n_bytes;
    }
    while (right && end > begin) {
      const CodePoint point = code_point_before(text, end);
      if (!is_whitespace(point.value)) break;
      end -= point.n_bytes;
    }
    text = text.substr(begin, end - begin);
  };
}

Normalizer make_prepend(const TokenizerPart& part) {
  return [prefix = part.text("prepend")](std::string& text) {
    if (!text.empty()) text.insert(0, prefix);
  };
}

Normalizer make_replace(const TokenizerPart& part) {
  return [find = find_pattern(part), content = part.text("content")](std::string& text) {
    std::vector<ByteRange> matches;
    find(text, matches);
    if (matches.empty()) return;
    std::string replaced;
    replaced.reserve(text.size() + matches.size() * content.size());
    std::size_t at = 0;
    for (const ByteRange& match : matches) {
      replaced.append(text, at, match.begin - at).append(content);
      at = match.end;
    }
    text = replaced.append(text, at);
  };
}

/// What SentencePiece did for translation models before its table: controls go, unusual blanks
/// become spaces.
Normalizer make_nmt(const TokenizerPart&) {
  return [](std::string& text) {
    rewrite_characters(text, [](char32_t value, std::string& out) {
      const bool blank = value == '\t' || value == '\n' || value == '\f' || value == '\r' ||
                         value == 0x1680 || (value >= 0x200B && value <= 0x200F) ||
                         value == 0x2028 || value == 0x2029 || value == 0x2581 || value == 0xFEFF ||
                         value == 0xFFFD;
      const bool control = (value >= 0x01 && value <= 0x08) || value == 0x0B ||
                           (value >= 0x0E && value <= 0x1F) || value == 0x7F || value == 0x8F ||
                           value == 0x9F;
      if (blank) {
        out += ' ';
      } else if (!control) {
        append_utf8(value, out);
      }
    });
  };
}

Normalizer make_byte_level(const TokenizerPart&) {
  return [](std::string& text) {
    std::string characters;
    append_byte_characters(text, characters);
    text = std::move(characters);
  };
}

Normalizer make_sequence(const TokenizerPart& part) {
  std::vector<Normalizer> steps;
  for (const TokenizerPart& one : part.parts("normalizers")) steps.push_back(make_normalizer(one));
  return [steps = std::move(steps)](std::string& text) {
    for (const Normalizer& step : steps) step(text);
  };
}

struct Kind {
  std::string_view type;
  Normalizer (*make)(const TokenizerPart& part);
};

constexpr std::array kKinds = {
    Kind{"Sequence", make_sequence},
    Kind{"NFC", make_unicode_form},
    Kind{"NFD", make_unicode_form},
    Kind{"NFKC", make_unicode_form},
    Kind{"NFKD", make_unicode_form},
    Kind{"Lowercase", make_lowercase},
    Kind{"Strip", make_strip},
    Kind{"StripAccents", make_strip_accents},
    Kind{"Prepend", make_prepend},
    Kind{"Replace", make_replace},
    Kind{"Nmt", make_nmt},
    Kind{"Precompiled", make_precompiled_charsmap},
    Kind{"BertNormalizer", make_bert_normalizer},
    Kind{"ByteLevel", make_byte_level},
};

}  // namespace

Normalizer make_normalizer(const TokenizerPart& part) {
  if (part.is_null()) return [](std::string&) {};
  const auto kind = std::ranges::find(kKinds, part.type(), &Kind::type);
  if (kind == kKinds.end()) part.refuse_type();
  return kind->make(part);
}

void rewrite_characters(std::string& text,
                        const std::function<void(char32_t value, std::string& out)>& write) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    write(point.value, out);
    at += point.n_bytes;
  }
  text = std::move(out);
}

void append_lower_case(char32_t value, std::string& out) {
  // The one letter whose small form is two code points.
  if (value == 0x130) {
    out += "i\u0307";
    return;
  }
  const char32_t lower = lower_case_since_unicode_15(value);
  append_utf8(lower != value
                  ? lower
                  : static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(value))),
              out);
}

}  // namespace lq::text

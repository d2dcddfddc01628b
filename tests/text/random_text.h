#pragma once
// Random texts of every kind that a tokenizer treats in its own way, the same for the same
// generator.

#include <array>
#include <random>
#include <string>
#include <vector>

#include "common/text/utf8.h"

namespace lq::testing {

/// `extra`: texts to strew in, such as a tokenizer's special tokens.
inline std::string random_text(std::mt19937_64& random, const std::vector<std::string>& extra) {
  const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const auto between = [&](char32_t first, char32_t last) {
    return first + static_cast<char32_t>(below(last - first + 1));
  };
  static constexpr std::array<const char*, 30> kTexts = {
      "'s",      "'LL",          "don't",        "The",
      " the",    "hello",        "world",        "HTTPServer",
      "12345",   "0x1F",         "\r\n",         "\n\n\n",
      "\t\t",    "    ",         "  ",           "\u00a0",
      "\u2581",  "\u3000",       "e\u0301",      "\u1e9b\u0323",
      "\ufb01n", "\uac00\u11a8", "\u1100\u1161", "n\u0303\u0316\u0301",
      "'\u017f", "\u180e",       "\u200d",       "\U0001F468\u200d\U0001F469",
      "</s>",    "<0x0A>"};
  std::string text;
  for (std::size_t left = below(24); left > 0; --left) {
    const std::size_t kind = below(14);
    std::size_t n = 1 + below(4);
    if (kind == 0) text += kTexts[below(kTexts.size())];
    if (kind == 1 && !extra.empty()) text += extra[below(extra.size())];
    if (kind == 2) text += std::string(n, ' ');
    if (kind == 3) text += ' ';
    for (; kind > 3 && n > 0; --n) {
      char32_t value = between(0x20, 0x7E);
      if (kind == 5) value = between('a', 'z');
      if (kind == 6) value = between(0x01, 0x17F);
      if (kind == 7) value = between(0x300, 0x36F);
      if (kind == 8) value = between(0x370, 0x1FFF);
      if (kind == 9) value = between(0x2000, 0x2FFF);
      if (kind == 10) value = between(0x3000, 0xD7FF);
      if (kind == 11) value = between(0xE000, 0xFFFD);
      if (kind == 12) value = between(0x10000, 0x1FFFF);
      if (kind == 13) value = between(0x1F300, 0x1FAFF);
      if (kind == 4 && below(8) == 0) value = between(0x20000, 0x10FFFF);
      text::append_utf8(value, text);
    }
  }
  return text;
}

}  // namespace lq::testing

#include "common/model/model_id.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>
#include <vector>

#include "common/base/text.h"

namespace lq::model {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

std::vector<std::string> words_of(std::string_view id) {
  std::vector<std::string> words(1);
  for (const char c : id) {
    if (c == '-' || c == ' ') {
      if (!words.back().empty()) words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

/// "v1", "V0.3.1", "v0"
bool is_version(std::string_view word) {
  if (word.size() < 2 || (word.front() != 'v' && word.front() != 'V')) return false;
  return is_digit(word[1]) &&
         std::ranges::all_of(word.substr(1), [](char c) { return is_digit(c) || c == '.'; });
}

/// The number of parameters that a word such as "0.5B", "135m", "8x7B" states; 0 for other words.
double stated_size(std::string_view word) {
  const std::size_t times = word.find('x');
  if (times != word.npos && times > 0) {
    const std::string_view experts = word.substr(0, times);
    if (!std::ranges::all_of(experts, is_digit)) return 0;
    return std::strtod(std::string(experts).c_str(), nullptr) * stated_size(word.substr(times + 1));
  }
  if (word.size() < 2 || !is_digit(word.front())) return 0;
  const std::string_view number = word.substr(0, word.size() - 1);
  if (!std::ranges::all_of(number, [](char c) { return is_digit(c) || c == '.'; })) return 0;
  constexpr std::array<std::pair<char, double>, 4> kMagnitudes = {
      {{'K', 1e3}, {'M', 1e6}, {'B', 1e9}, {'T', 1e12}}};
  for (const auto& [letter, magnitude] : kMagnitudes) {
    if (word.back() == letter || word.back() == letter - 'A' + 'a') {
      return std::strtod(std::string(number).c_str(), nullptr) * magnitude;
    }
  }
  return 0;
}

/// Whether a word states this model's size: within a factor of two, since embeddings are counted or
/// not.
bool is_size(std::string_view word, std::uint64_t n_parameters) {
  const double stated = stated_size(word);
  if (stated <= 0) return false;
  const double actual = static_cast<double>(n_parameters);
  return n_parameters == 0 || (stated < 2 * actual && stated > actual / 2);
}

/// With the letter of magnitude as a capital.
std::string with_capital(std::string word) {
  if (is_lower(word.back())) word.back() = static_cast<char>(word.back() - 'a' + 'A');
  return word;
}

bool is_finetune(std::string_view word) {
  constexpr std::array<std::string_view, 8> kWords = {"it", "instruct", "chat", "base",
                                                      "hf", "dpo",      "sft",  "code"};
  return std::ranges::count(kWords, base::to_lower(word)) > 0;
}

std::string join(const std::vector<std::string>& words, std::size_t begin, std::size_t end) {
  std::string text;
  for (std::size_t i = begin; i < end; ++i) {
    if (!text.empty()) text += '-';
    text += words[i];
  }
  return text;
}

}  // namespace

ModelId split_model_id(std::string_view id, std::uint64_t n_parameters) {
  std::vector<std::string> words = words_of(id);
  ModelId parts;
  if (words.size() < 2) return parts;  // one word may be a folder called anything
  if (is_version(words.back())) {
    parts.version = words.back();
    words.pop_back();
  }
  std::size_t size_at = words.size(), base_end = words.size(), tune_at = words.size();
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (size_at == words.size() && is_size(words[i], n_parameters)) size_at = i;
    if (tune_at == words.size() && is_finetune(words[i])) tune_at = i;
  }
  base_end = std::min(size_at, tune_at);
  if (base_end == words.size()) {
    // Nothing marks where the name of the family ends.
    if (!parts.version.empty()) parts.basename = join(words, 0, words.size());
    return parts;
  }
  parts.basename = join(words, 0, base_end);
  if (size_at < words.size()) parts.size_label = with_capital(words[size_at]);
  const std::size_t tail = size_at < words.size() && size_at < tune_at ? size_at + 1 : tune_at;
  parts.finetune = join(words, tail, size_at > tail ? std::max(size_at, tail) : words.size());
  return parts;
}

std::string title_of(std::string_view id) {
  std::string title;
  for (std::string& word : words_of(id)) {
    const bool has_capital = std::ranges::any_of(word, is_upper);
    if (!has_capital && is_lower(word.front()) && !is_version(word)) {
      word.front() = static_cast<char>(word.front() - 'a' + 'A');
    }
    if (!title.empty()) title += ' ';
    title += word;
  }
  return title;
}

std::string size_label(std::uint64_t n_parameters) {
  constexpr std::array<std::pair<double, char>, 4> kMagnitudes = {
      {{1e12, 'T'}, {1e9, 'B'}, {1e6, 'M'}, {1e3, 'K'}}};
  const auto n = static_cast<double>(n_parameters);
  auto magnitude = kMagnitudes.begin();
  while (magnitude + 1 != kMagnitudes.end() && n <= magnitude->first) ++magnitude;
  const double scaled = n / magnitude->first;
  return fmt::format("{:.{}f}{}", scaled, std::round(scaled) < 10 ? 1 : 0, magnitude->second);
}

}  // namespace lq::model

#include "common/text/pretokenizer_names.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace lq::text {
namespace {

using nlohmann::json;

// English contractions as normalize_split_regex() writes them.
#define LQ_CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define LQ_WHITESPACE R"(\s*[\r\n]+|\s+(?!\S)|\s+)"
#define LQ_UPPER R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])"
#define LQ_LOWER R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])"
#define LQ_CASED_WORDS(tail)                                                               \
  R"([^\r\n\p{L}\p{N}]?)" LQ_UPPER "*" LQ_LOWER "+" tail R"(|[^\r\n\p{L}\p{N}]?)" LQ_UPPER \
  "+" LQ_LOWER "*" tail

// Steps other than a Split are written as one of these words.
constexpr std::string_view kByteLevel = "<ByteLevel with its own regex>";
constexpr std::string_view kDigits = "<single digits>";
constexpr std::string_view kDigitRuns = "<runs of digits>";
constexpr std::string_view kPunctuation = "<punctuation>";

// Split of one ByteLevel step, for tokenizers that spell it out.
constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))";
constexpr std::string_view kGpt2Full =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

struct Splitting {
  std::string_view name;
  std::array<std::string_view, 6> steps;  // in order, the rest empty
};

constexpr std::array kSplittings = {
    Splitting{"gpt-2", {kByteLevel}},
    Splitting{"gpt-2", {kGpt2}},
    Splitting{"gpt-2", {kGpt2Full}},
    Splitting{"starcoder", {kDigits, kByteLevel}},
    Splitting{"starcoder", {kDigits, kGpt2Full}},
    Splitting{"starcoder", {R"(\p{N})", kByteLevel}},
    Splitting{"starcoder", {R"(\p{N})", kGpt2Full}},
    Splitting{"llama-bpe",
              {LQ_CONTRACTIONS
               R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)" LQ_WHITESPACE}},
    Splitting{"qwen2",
              {LQ_CONTRACTIONS
               R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)" LQ_WHITESPACE}},
    Splitting{
        "qwen35",
        {LQ_CONTRACTIONS
         R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|)" LQ_WHITESPACE}},
    Splitting{"gpt-4o",
              {LQ_CASED_WORDS(LQ_CONTRACTIONS
                              "?") R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" LQ_WHITESPACE}},
    Splitting{"tekken", {LQ_CASED_WORDS("") R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" LQ_WHITESPACE}},
    Splitting{
        "deepseek-v3",
        {R"(\p{N}{1,3})", "[一-龥぀-ゟ゠-ヿ]+",
         R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|)" LQ_WHITESPACE}},
    Splitting{"deepseek-coder",
              {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", "[一-龥ࠀ-一가-퟿]+", kDigits}},
    Splitting{
        "deepseek-coder",
        {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", "[一-龥ࠀ-一가-퟿]+", R"(\p{N})"}},
    Splitting{"falcon", {kPunctuation, kByteLevel, kDigitRuns, "[0-9][0-9][0-9]"}},
    Splitting{"gemma4", {R"(\n)"}},
};

// What the families do that have these splittings; a splitting alone does not tell it.
constexpr std::array<std::string_view, 2> kComposing = {"qwen2", "qwen35"};  // NFC before all else
constexpr std::array<std::string_view, 2> kIgnoringMerges = {"llama-bpe", "tekken"};
constexpr std::array<std::string_view, 2> kBeginningWithBos = {"llama-bpe", "tekken"};

struct OtherName {
  std::string_view other, name;
};
// llama.cpp has names of families for splittings that are equal.
constexpr std::array kOtherNames = {
    OtherName{"llama3", "llama-bpe"},
    OtherName{"llama-v3", "llama-bpe"},
    OtherName{"falcon3", "llama-bpe"},
    OtherName{"smollm", "starcoder"},
    OtherName{"deepseek-r1-qwen", "qwen2"},
    OtherName{"megrez", "qwen2"},
    OtherName{"phi-2", "gpt-2"},
};

#undef LQ_CONTRACTIONS
#undef LQ_WHITESPACE
#undef LQ_UPPER
#undef LQ_LOWER
#undef LQ_CASED_WORDS

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::string string_member(const json& object, std::string_view key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

bool flag_member(const json& object, std::string_view key, bool absent) {
  const auto at = object.find(key);
  return at != object.end() && at->is_boolean() ? at->get<bool>() : absent;
}

/// Possessive repetition differs from greedy repetition only in how fast a mismatch is found.
std::string without_possessive_marks(std::string_view regex) {
  std::string text;
  bool in_class = false, repeated = false;  // repeated: a quantifier ends here
  for (std::size_t i = 0; i < regex.size(); ++i) {
    const char c = regex[i];
    if (c == '\\' && i + 1 < regex.size()) {
      text += {c, regex[++i]};
      repeated = false;
      // A category such as \p{Lu} has braces that repeat nothing.
      const bool category =
          (regex[i] == 'p' || regex[i] == 'P') && regex.substr(i + 1).starts_with('{');
      while (category && i + 1 < regex.size() && text.back() != '}') text += regex[++i];
      continue;
    }
    if (c == '+' && repeated && !in_class) {
      repeated = false;
      continue;
    }
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    repeated = !in_class &&
               (c == '+' || c == '*' || c == '}' || (c == '?' && i > 0 && regex[i - 1] != '('));
    text += c;
  }
  return text;
}

/// A literal as an expression.
std::string escaped_literal(std::string_view literal) {
  std::string regex;
  for (const char c : literal) {
    if (c == '\n') {
      regex += R"(\n)";
      continue;
    }
    if (std::string_view(R"(\^$.|?*+()[]{})").find(c) != std::string_view::npos) regex += '\\';
    regex += c;
  }
  return regex;
}

/// Splits `step` into the list of splits it stands for; false for a step that no known splitting
/// has.
bool add_split(const json& step, std::vector<std::string>& steps) {
  const auto pattern = step.find("pattern");
  if (pattern == step.end() || !pattern->is_object()) return false;
  // "Removed" and inverted keeps what matches; the same as isolating it, because the expressions
  // match everything.
  const std::string behavior = string_member(step, "behavior");
  const bool inverted = flag_member(step, "invert", false);
  if (!(behavior == "Isolated" && !inverted) && !(behavior == "Removed" && inverted)) return false;
  const std::string literal = string_member(*pattern, "String");
  const std::string regex =
      literal.empty() ? string_member(*pattern, "Regex") : escaped_literal(literal);
  steps.push_back(normalize_split_regex(regex));
  return true;
}

bool add_step(const json& step, std::vector<std::string>& steps) {
  if (!step.is_object()) return false;
  const std::string type = string_member(step, "type");
  if (type == "Sequence") {
    const auto members = step.find("pretokenizers");
    if (members == step.end() || !members->is_array()) return false;
    return std::ranges::all_of(*members, [&](const json& member) {
      return string_member(member.is_object() ? member : json::object(), "type") != "Sequence" &&
             add_step(member, steps);
    });
  }
  if (type == "Split") return add_split(step, steps);
  if (type == "ByteLevel") {
    if (flag_member(step, "use_regex", true)) steps.emplace_back(kByteLevel);
    return true;
  }
  if (type == "Digits") {
    steps.emplace_back(flag_member(step, "individual_digits", false) ? kDigits : kDigitRuns);
    return true;
  }
  if (type == "Punctuation") {
    steps.emplace_back(kPunctuation);
    return true;
  }
  return false;
}

json step_of(std::string_view step) {
  if (step == kByteLevel) {
    return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}};
  }
  if (step == kDigits || step == kDigitRuns) {
    return {{"type", "Digits"}, {"individual_digits", step == kDigits}};
  }
  if (step == kPunctuation) return {{"type", "Punctuation"}, {"behavior", "Contiguous"}};
  return {{"type", "Split"}, {"pattern", {{"Regex", step}}}, {"behavior", "Isolated"}};
}

json pre_tokenizer_of(const Splitting& splitting) {
  json steps = json::array();
  for (const std::string_view step : splitting.steps) {
    if (!step.empty()) steps.push_back(step_of(step));
  }
  if (std::ranges::count(splitting.steps, kByteLevel) == 0) {
    steps.push_back({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}});
  }
  return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

bool same_steps(const Splitting& known, const std::vector<std::string>& steps) {
  const auto end = std::ranges::find(known.steps, std::string_view());
  return std::equal(known.steps.begin(), end, steps.begin(), steps.end());
}

}  // namespace

std::string normalize_split_regex(std::string_view regex) {
  std::string text = without_possessive_marks(regex);
  constexpr std::string_view kContractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  for (const std::string_view spelling :
       {"'(?i:[sdmt]|ll|ve|re)", "(?i:'(?:[sdmt]|ll|ve|re))",
        "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])",
        "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]"}) {
    replace_all(text, spelling, kContractions);
  }
  // The run before it takes every further newline.
  replace_all(text, R"(\s*[\r\n]|)", R"(\s*[\r\n]+|)");
  return text;
}

std::string pretokenizer_name(const json& pre_tokenizer) {
  std::vector<std::string> steps;
  if (!add_step(pre_tokenizer, steps) || steps.empty()) return {};
  for (const Splitting& known : kSplittings) {
    if (same_steps(known, steps)) return std::string(known.name);
  }
  return {};
}

std::optional<NamedPretokenizer> pretokenizer_named(std::string_view name) {
  const auto other = std::ranges::find(kOtherNames, name, &OtherName::other);
  if (other != kOtherNames.end()) name = other->name;
  // The first of several rows is the plainest.
  const auto known = std::ranges::find(kSplittings, name, &Splitting::name);
  if (known == kSplittings.end()) return std::nullopt;
  const auto is_among = [&](const auto& names) { return std::ranges::count(names, name) > 0; };
  NamedPretokenizer named;
  named.pre_tokenizer = pre_tokenizer_of(*known);
  if (is_among(kComposing)) named.normalizer = {{"type", "NFC"}};
  named.ignores_merges = is_among(kIgnoringMerges);
  named.begins_with_bos = is_among(kBeginningWithBos);
  return named;
}

}  // namespace lq::text

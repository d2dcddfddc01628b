#include "common/text/oniguruma_pattern.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/text.h"

namespace lq::text {
namespace {

struct Spelling {
  std::string_view from, to;
};

// Alphabetic of Unicode 16: marks that became it since PCRE2's Unicode stand behind.
#define LQ_ALPHABETIC \
  R"(\p{Alphabetic}\x{363}-\x{36f}\x{c04}\x{f82}\x{f83}\x{1dd3}-\x{1de6}\x{11080}\x{11081})"

// Escapes that stand for classes; the text is what stands between brackets.
constexpr std::array kClassEscapes = {
    Spelling{"s", R"(\p{White_Space})"},
    Spelling{"h", "0-9A-Fa-f"},
    Spelling{"w", R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})"},
};
// Belongs to \w outside of brackets, by an old table for Latin-1.
constexpr std::string_view kLatin1Numbers = R"(\x{b2}\x{b3}\x{b9}\x{bc}-\x{be})";
constexpr std::array kPosixClasses = {
    Spelling{"alpha", LQ_ALPHABETIC},
    Spelling{"digit", R"(\p{Nd})"},
    Spelling{"space", R"(\p{White_Space})"},
    Spelling{"punct", R"(\p{P}\p{S})"},
    Spelling{"upper", R"(\p{Uppercase})"},
    Spelling{"lower", R"(\p{Lowercase})"},
    Spelling{"alnum", LQ_ALPHABETIC R"(\p{Nd})"},
    Spelling{"word", kClassEscapes[2].to},
    Spelling{"xdigit", "0-9A-Fa-f"},
    Spelling{"cntrl", R"(\p{Cc})"},
    Spelling{"blank", R"(\p{Zs}\t)"},
    Spelling{"ascii", R"(\x{00}-\x{7f})"},
};
// Long names of categories, and names that are properties in both; any other is a script.
constexpr std::array kProperties = {
    Spelling{"letter", "L"},
    Spelling{"mark", "M"},
    Spelling{"number", "N"},
    Spelling{"punctuation", "P"},
    Spelling{"symbol", "S"},
    Spelling{"separator", "Z"},
    Spelling{"other", "C"},
    Spelling{"uppercaseletter", "Lu"},
    Spelling{"lowercaseletter", "Ll"},
    Spelling{"titlecaseletter", "Lt"},
    Spelling{"modifierletter", "Lm"},
    Spelling{"otherletter", "Lo"},
    Spelling{"decimalnumber", "Nd"},
    Spelling{"any", "Any"},
    Spelling{"alpha", "Alphabetic"},
    Spelling{"alphabetic", "Alphabetic"},
    Spelling{"upper", "Uppercase"},
    Spelling{"uppercase", "Uppercase"},
    Spelling{"lower", "Lowercase"},
    Spelling{"lowercase", "Lowercase"},
    Spelling{"space", "White_Space"},
    Spelling{"whitespace", "White_Space"},
    Spelling{"digit", "Nd"},
    Spelling{"emoji", "Emoji"},
    Spelling{"cntrl", "Cc"},
    Spelling{"extendedpictographic", "Extended_Pictographic"},
    Spelling{"ideographic", "Ideographic"},
};

#undef LQ_ALPHABETIC

std::optional<std::string_view> find_spelling(const auto& table, std::string_view from) {
  const auto at = std::ranges::find(table, from, &Spelling::from);
  return at == table.end() ? std::nullopt : std::optional(at->to);
}

class Translator {
 public:
  Translator(std::string_view from, const TokenizerPart& part) : from_(from), part_(part) {}

  std::string translate() {
    while (at_ < from_.size()) step();
    return std::move(to_);
  }

 private:
  bool ahead(std::string_view text) const { return from_.substr(at_).starts_with(text); }
  bool ended() const { return at_ >= from_.size(); }

  [[noreturn]] void refuse(std::string_view what) const {
    part_.refuse(fmt::format("its expression '{}' has {}", from_, what));
  }

  void atom(std::string_view text) {
    atom_ = to_.size();
    to_ += text;
  }

  void step() {
    const char c = from_[at_];
    if (c == '\\') return escape();
    if (c == '[') {
      const std::string set = parse_class();
      return atom(set);
    }
    ++at_;
    if (c == '(') {
      groups_.push_back(to_.size());
      to_ += c;
      if (ahead("?") && !ahead("?<")) group_options();
    } else if (c == ')') {
      if (!groups_.empty()) {
        atom_ = groups_.back();
        groups_.pop_back();
      }
      to_ += c;
    } else if (c == '{') {
      interval();
    } else if (c == '*' || c == '+' || c == '?' || c == '|') {
      to_ += c;
    } else {
      atom({&c, 1});
    }
  }

  /// The letters of (?imx-imx: where m lets the dot match line ends.
  void group_options() {
    for (; !ended() && from_[at_] != ')' && from_[at_] != ':'; ++at_) {
      const char c = from_[at_];
      if (c != '?' && c != '-' && (c < 'a' || c > 'z')) return;
      to_ += c == 'm' ? 's' : c;
    }
  }

  /// An interval; behind it a plus repeats what it applies to.
  void interval() {
    const std::size_t end = from_.find('}', at_);
    const std::string_view inside = end == from_.npos ? "" : from_.substr(at_, end - at_);
    const bool counts =
        !inside.empty() && inside != "," && inside.find_first_not_of("0123456789,") == inside.npos;
    if (!counts) return atom("\\{");
    at_ = end + 1;
    to_ += '{';
    if (inside.front() == ',') to_ += '0';
    to_.append(inside).append("}");
    if (ahead("+")) {
      to_.insert(atom_, "(?:");
      to_ += ')';
    }
  }

  void escape() {
    if (at_ + 1 >= from_.size()) refuse("a backslash at its end");
    const char c = from_[at_ + 1];
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (const auto set = find_spelling(kClassEscapes, {&lower, 1})) {
      at_ += 2;
      return atom(
          fmt::format("[{}{}{}]", c == lower ? "" : "^", *set, lower == 'w' ? kLatin1Numbers : ""));
    }
    atom(simple_escape());
  }

  /// An escape that means the same within and outside of brackets.
  std::string simple_escape() {
    const char c = from_[at_ + 1];
    at_ += 2;
    if ((c == 'p' || c == 'P') && ahead("{")) return property(c);
    if (c == 'u') {
      if (from_.size() - at_ < 4) refuse("an incomplete \\u");
      at_ += 4;
      return fmt::format("\\x{{{}}}", from_.substr(at_ - 4, 4));
    }
    if (c == 'v') return R"(\x0b)";
    return {'\\', c};
  }

  std::string property(char letter) {
    const std::size_t end = from_.find('}', at_);
    if (end == from_.npos) refuse("a property without an end");
    std::string_view name = from_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    bool negated = letter == 'P';
    if (name.starts_with('^')) {
      negated = !negated;
      name.remove_prefix(1);
    }
    std::string plain = base::to_lower(name);
    std::erase_if(plain, [](char c) { return c == '_' || c == ' ' || c == '-'; });
    const auto known = find_spelling(kProperties, plain);
    const std::string written = known              ? std::string(*known)
                                : plain == "punct" ? "P"
                                : name.size() <= 2 ? std::string(name)
                                                   : fmt::format("sc:{}", name);
    return fmt::format("\\{}{{{}}}", negated ? 'P' : 'p', written);
  }

  /// The class that begins here, nested ones and intersections included.
  std::string parse_class() {
    if (++depth_ > 8) refuse("classes deep in each other");
    ++at_;
    const bool negated = ahead("^");
    if (negated) ++at_;
    std::vector<std::string> operands(1);
    bool empty = true;
    while (true) {
      if (ended()) refuse("a class without an end");
      if (from_[at_] == ']' && !empty) break;
      if (ahead("&&")) {
        at_ += 2;
        operands.emplace_back();
      } else {
        operands.back() += class_member();
      }
      empty = false;
    }
    ++at_;
    --depth_;
    if (operands.size() == 1) return fmt::format("[{}{}]", negated ? "^" : "", operands[0]);
    std::string all;
    for (std::size_t i = 0; i + 1 < operands.size(); ++i)
      all += fmt::format("(?=[{}])", operands[i]);
    all += fmt::format("[{}]", operands.back());
    return negated ? fmt::format("(?:(?!{})(?s:.))", all) : fmt::format("(?:{})", all);
  }

  std::string class_member() {
    if (ahead("[:")) return posix_class();
    if (ahead("[")) {
      const bool alone = from_.substr(0, at_).ends_with("&&");
      const std::string nested = parse_class();
      // A union needs no brackets; a complement can stand only where it is the whole operand.
      if (nested.starts_with("[^")) {
        if (!alone || !(ahead("]") || ahead("&&"))) refuse("a complement within a class");
        return nested.substr(1, nested.size() - 2);
      }
      if (nested.starts_with("(")) refuse("an intersection within a class");
      return nested.substr(1, nested.size() - 2);
    }
    if (!ahead("\\")) {
      const char c = from_[at_++];
      return c == ']' ? "\\]" : std::string(1, c);
    }
    if (at_ + 1 >= from_.size()) refuse("a backslash at its end");
    const char c = from_[at_ + 1];
    if (c == 'W' || c == 'H') refuse(fmt::format("\\{} within a class", c));
    if (c == 'S') {
      at_ += 2;
      return R"(\P{White_Space})";
    }
    if (const auto set = find_spelling(kClassEscapes, {&c, 1})) {
      at_ += 2;
      return std::string(*set);
    }
    return simple_escape();
  }

  std::string posix_class() {
    const std::size_t end = from_.find(":]", at_);
    if (end == from_.npos) refuse("a POSIX class without an end");
    const auto set = find_spelling(kPosixClasses, from_.substr(at_ + 2, end - at_ - 2));
    if (!set) refuse("a POSIX class that lq does not know");
    at_ = end + 2;
    return std::string(*set);
  }

  std::string_view from_;
  const TokenizerPart& part_;
  std::size_t at_ = 0;
  std::string to_;
  std::size_t atom_ = 0;  // where in to_ the latest atom begins
  std::vector<std::size_t> groups_;
  int depth_ = 0;
};

}  // namespace

std::string pcre2_pattern(std::string_view oniguruma, const TokenizerPart& part) {
  return Translator(oniguruma, part).translate();
}

}  // namespace lq::text

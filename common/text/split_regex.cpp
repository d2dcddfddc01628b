#include "common/text/split_regex.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/text/oniguruma_pattern.h"
#include "common/text/tokenizer_files.h"
#include "common/text/unicode_tables.h"
#include "common/text/utf8.h"

namespace lq::text {
namespace {

constexpr std::size_t kJitStackStart = std::size_t{64} << 10, kJitStackMost = std::size_t{64} << 20;

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatch {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeStack {
  void operator()(pcre2_jit_stack* stack) const { pcre2_jit_stack_free(stack); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

PCRE2_SPTR units(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

/// The text with stand-ins for code points that are newer than PCRE2; empty when it has none.
std::string with_stand_ins(std::string_view text) {
  std::string replaced;
  for (std::size_t at = 0; at < text.size();) {
    // Two bytes and fewer: nothing new is there.
    if (static_cast<unsigned char>(text[at]) < 0xE0) {
      ++at;
      continue;
    }
    const CodePoint point = code_point_at(text, at);
    const char32_t like = regex_stand_in(point.value);
    if (like != point.value) {
      if (replaced.empty()) replaced = text;
      std::string bytes;
      append_utf8(like, bytes);
      replaced.replace(at, point.n_bytes, bytes);
    }
    at += point.n_bytes;
  }
  return replaced;
}

}  // namespace

struct SplitRegex::Compiled {
  std::string pattern;
  std::filesystem::path file;
  std::unique_ptr<pcre2_code, FreeCode> code;
};

SplitRegex::SplitRegex(std::string_view pattern, const TokenizerPart& part) {
  const std::string written = pcre2_pattern(pattern, part);
  int error = 0;
  PCRE2_SIZE offset = 0;
  std::unique_ptr<pcre2_code, FreeCode> code(pcre2_compile(units(written), written.size(),
                                                           PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE,
                                                           &error, &offset, nullptr));
  if (!code) {
    std::array<PCRE2_UCHAR, 128> message{};
    pcre2_get_error_message(error, message.data(), message.size());
    part.reject(fmt::format("its expression '{}' cannot be compiled: {}", pattern,
                            reinterpret_cast<const char*>(message.data())));
  }
  // Without a JIT on this processor pcre2_match interprets.
  pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);
  compiled_ = std::make_unique<const Compiled>(
      Compiled{std::string(pattern), part.file(), std::move(code)});
}

SplitRegex::~SplitRegex() = default;
SplitRegex::SplitRegex(SplitRegex&& other) noexcept = default;

void SplitRegex::find_all(std::string_view text, std::vector<ByteRange>& matches) const {
  const std::string replaced = with_stand_ins(text);
  const std::string_view subject = replaced.empty() ? text : replaced;
  const std::unique_ptr<pcre2_match_data, FreeMatch> data(
      pcre2_match_data_create_from_pattern(compiled_->code.get(), nullptr));
  std::unique_ptr<pcre2_jit_stack, FreeStack> stack;
  std::unique_ptr<pcre2_match_context, FreeContext> context;
  if (!data) throw std::bad_alloc();
  const PCRE2_SIZE* const range = pcre2_get_ovector_pointer(data.get());
  std::size_t from = 0;
  std::size_t last_end = std::string_view::npos;
  while (from <= subject.size()) {
    const int found = pcre2_match(compiled_->code.get(), units(subject), subject.size(), from,
                                  PCRE2_NO_UTF_CHECK, data.get(), context.get());
    if (found == PCRE2_ERROR_NOMATCH) return;
    if (found == PCRE2_ERROR_JIT_STACKLIMIT && !stack) {
      stack.reset(pcre2_jit_stack_create(kJitStackStart, kJitStackMost, nullptr));
      context.reset(pcre2_match_context_create(nullptr));
      if (!stack || !context) throw std::bad_alloc();
      pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
      continue;
    }
    if (found < 0) {
      throw base::ValidationError(
          fmt::format("cannot cut the text into words as {} says", base::shown(compiled_->file)),
          fmt::format("its expression '{}' takes too many steps on this text (PCRE2 error {})",
                      base::escape_controls(compiled_->pattern), found),
          "correct the expression, or shorten the text");
    }
    const std::size_t begin = std::min(range[0], range[1]), end = range[1];
    if (begin == end && end == last_end) {
      if (from == subject.size()) return;
      from += code_point_at(subject, from).n_bytes;
      continue;
    }
    matches.push_back({begin, end});
    from = last_end = end;
  }
}

MatchFinder find_regex(std::string_view pattern, const TokenizerPart& part) {
  const auto regex = std::make_shared<const SplitRegex>(pattern, part);
  return [regex](std::string_view piece, std::vector<ByteRange>& matches) {
    regex->find_all(piece, matches);
  };
}

MatchFinder find_pattern(const TokenizerPart& part) {
  const nlohmann::json& pattern = member(part.value(), "pattern");
  const nlohmann::json& literal = member(pattern, "String");
  const nlohmann::json& regex = member(pattern, "Regex");
  if (regex.is_string()) return find_regex(regex.get_ref<const std::string&>(), part);
  if (!literal.is_string()) part.reject("a pattern in it is neither a String nor a Regex");
  return [wanted = literal.get<std::string>()](std::string_view piece,
                                               std::vector<ByteRange>& matches) {
    if (wanted.empty()) return;
    for (std::size_t at = piece.find(wanted); at != piece.npos;
         at = piece.find(wanted, at + wanted.size())) {
      matches.push_back({at, at + wanted.size()});
    }
  };
}

}  // namespace lq::text

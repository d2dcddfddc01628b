// Unicode's four normalization forms. utf8proc decomposes and composes code points; the ordering
// of marks in between is done here, because utf8proc's takes quadratic time on long rows of marks.
// ASCII has no part in any of it, save that a mark behind an ASCII letter may compose with it.

#include <algorithm>
#include <array>
#include <new>
#include <utf8proc.h>
#include <vector>

#include "common/text/normalizer.h"
#include "common/text/unicode_tables.h"
#include "common/text/utf8.h"

namespace lq::text {
namespace {

struct Form {
  bool compose, compatible;
};

using CodePoints = std::vector<utf8proc_int32_t>;

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
bool is_left_alone(utf8proc_int32_t value) {
  return normalized_since_unicode_9(static_cast<char32_t>(value));
}
utf8proc_propval_t combining_class(utf8proc_int32_t value) {
  return is_left_alone(value) ? utf8proc_propval_t{0}
                              : utf8proc_get_property(value)->combining_class;
}

void append_decomposed(char32_t value, bool compatible, CodePoints& points) {
  const auto point = static_cast<utf8proc_int32_t>(value);
  if (is_left_alone(point)) return points.push_back(point);
  std::array<utf8proc_int32_t, 32> parts{};  // the longest decomposition has 18
  const int options = UTF8PROC_DECOMPOSE | UTF8PROC_STABLE | (compatible ? UTF8PROC_COMPAT : 0);
  const auto n = utf8proc_decompose_char(point, parts.data(), parts.size(),
                                         static_cast<utf8proc_option_t>(options), nullptr);
  points.insert(points.end(), parts.begin(), parts.begin() + n);
}

/// Rows of marks in the order of their classes.
void order_marks(CodePoints& points) {
  for (auto begin = points.begin(); begin != points.end();) {
    const auto is_starter = [](utf8proc_int32_t value) { return combining_class(value) == 0; };
    begin = std::find_if_not(begin, points.end(), is_starter);
    const auto end = std::find_if(begin, points.end(), is_starter);
    std::stable_sort(begin, end, [](utf8proc_int32_t a, utf8proc_int32_t b) {
      return combining_class(a) < combining_class(b);
    });
    begin = end;
  }
}

void append_composed(CodePoints& points, std::string& out) {
  for (std::size_t begin = 0; begin < points.size();) {
    // What the reference leaves alone composes with nothing on either side.
    const auto first = points.begin() + static_cast<std::ptrdiff_t>(begin);
    const bool alone = is_left_alone(*first);
    const auto last = alone ? first + 1 : std::find_if(first, points.end(), is_left_alone);
    auto n = static_cast<utf8proc_ssize_t>(last - first);
    if (!alone) {
      n = utf8proc_normalize_utf32(
          &*first, n, static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
    }
    for (auto at = first; at != first + n; ++at) append_utf8(static_cast<char32_t>(*at), out);
    begin = static_cast<std::size_t>(last - points.begin());
  }
}

void normalize(std::string& text, Form form) {
  std::string out;
  CodePoints points;
  for (auto at = text.cbegin(); at != text.cend();) {
    auto begin = std::find_if_not(at, text.cend(), is_ascii);
    if (begin == text.cend() && out.empty() && at == text.cbegin()) return;
    if (form.compose && begin != at && begin != text.cend()) --begin;
    out.append(at, begin);
    points.clear();
    if (begin != text.cend() && is_ascii(*begin)) points.push_back(*begin++);
    while (begin != text.cend() && !is_ascii(*begin)) {
      const CodePoint point = code_point_at(text, static_cast<std::size_t>(begin - text.cbegin()));
      append_decomposed(point.value, form.compatible, points);
      begin += static_cast<std::ptrdiff_t>(point.n_bytes);
    }
    order_marks(points);
    if (form.compose) {
      append_composed(points, out);
    } else {
      for (const utf8proc_int32_t point : points) append_utf8(static_cast<char32_t>(point), out);
    }
    at = begin;
  }
  text = std::move(out);
}

}  // namespace

Normalizer make_unicode_form(const TokenizerPart& part) {
  const Form form{.compose = part.type().ends_with('C'),
                  .compatible = part.type().starts_with("NFK")};
  return [form](std::string& text) { normalize(text, form); };
}

void decompose(std::string& text) { normalize(text, {.compose = false, .compatible = false}); }

}  // namespace lq::text

#pragma once
// Texts in JSON. A value is one of
//
//   "text"                 one text
//   ["text", ...]          a text each
//   {"FIELD": "text"}      other fields are passed over
//   {"FIELD": ["text"]}
//
// and a file holds one value, on any number of lines, or one value on each line (JSON Lines). It
// is lines when the first that is not blank is a whole value and others follow.

#include <string>
#include <string_view>
#include <vector>

namespace lq::calibration {

/// Whether content of unknown kind is taken for JSON: it begins with `[` or `{` and, blanks aside,
/// a quote or `{` follows; or its first line that is not blank is a whole JSON list, object or
/// string.
bool looks_like_json(std::string_view content);

/// Appends the texts of `content` to `texts`. `subject` ("cannot read calibration texts from X")
/// starts every message. REQUIRES: `content` is UTF-8. Throws ValidationError.
void append_json_texts(std::string_view content, const std::string& field,
                       const std::string& subject, std::vector<std::string>& texts);

}  // namespace lq::calibration

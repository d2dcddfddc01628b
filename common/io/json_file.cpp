#include "common/io/json_file.h"

#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/input_file.h"

namespace lq::io {

nlohmann::json parse_json(std::string_view text, const std::string& source) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    throw base::ValidationError(fmt::format("cannot read {}", base::escape_controls(source)),
                                fmt::format("it is not valid JSON at byte {}", error.byte),
                                "fetch the file again, or correct it there");
  } catch (const nlohmann::json::out_of_range&) {
    throw base::ValidationError(fmt::format("cannot read {}", base::escape_controls(source)),
                                "a number in it is beyond what a double holds",
                                "fetch the file again, or correct the number");
  }
}

nlohmann::json read_json_file(const std::filesystem::path& path) {
  return parse_json(read_text_file(path), path.string());
}

}  // namespace lq::io

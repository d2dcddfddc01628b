#pragma once
// The texts that a calibration reads where the user gives none: prose, technical text, dialogue,
// code and several languages, written for this purpose. They lie in texts/, a file each, and are
// built into the program.

#include <span>
#include <string_view>

namespace lq::calibration {

struct DefaultText {
  std::string_view name;  // of its file: "01-tides.txt"
  std::string_view text;  // UTF-8
};

/// In the order of their names.
std::span<const DefaultText> default_texts();

}  // namespace lq::calibration

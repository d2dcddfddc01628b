#pragma once
// What models are evaluated on where the user gives nothing: prose, tables, code and several
// languages, written for this purpose, with nothing in common with the texts that a calibration
// reads (calibration/default_texts.h). They lie in texts/ and are built into the program.

#include <span>
#include <string>
#include <string_view>

#include "common/calibration/default_texts.h"

namespace lq::behaviour {

/// In the order of their names.
std::span<const calibration::DefaultText> evaluation_texts();

/// All of them as one text, with a blank line between two.
std::string built_in_text();

/// Beginnings to go on from (continuation.h): of prose, dialogue, instruction, list, sum, code and
/// two other languages.
std::span<const std::string_view> coherence_prompts();

}  // namespace lq::behaviour

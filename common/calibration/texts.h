#pragma once
// The texts that a calibration is made from: those of files or standard input that the user names,
// or those that come with the program (default_texts.h).
//
// What a source holds:
//
//   NAME.txt                          one text, unchanged
//   NAME.json, NAME.jsonl, .ndjson    JSON (json_texts.h)
//   another name, standard input      JSON where it looks like it, else one text, unchanged

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/stage/plan.h"

namespace lq::calibration {

/// Of one file or of standard input.
inline constexpr std::uint64_t kMaxTextBytes = std::uint64_t{4} << 30;

struct Texts {
  std::vector<std::string> texts;  // UTF-8, in the order of the sources
  std::vector<stage::InputFile>
      files;               // those that were read, paths as given; nothing for standard input
  std::string content_id;  // SHA-256 in hex over the texts and their lengths
};

/// Reads the sources in order; `-` is standard input. `field` is the one that holds the texts of
/// JSON objects. Throws ModelNotFoundError for a file that cannot be opened; ValidationError, which
/// names the source, for one that is above kMaxTextBytes, empty, not UTF-8, broken JSON, JSON of
/// another shape, or without any text but white space.
Texts read_texts(std::span<const std::string> sources, const std::string& field = "text");

/// Those of the program.
Texts built_in_texts();

}  // namespace lq::calibration

#pragma once
// What tells the contents of GGUF files apart without reading all of them.

#include <string>

#include "common/gguf/reader.h"

namespace lq::subject {

/// SHA-256 in hex over each file's size and all that lies before its tensors, and over 4 KiB from
/// start, middle and end of each tensor. Throws as gguf::Reader::read and io::InputFile.
std::string gguf_content_id(const gguf::Reader& reader);

}  // namespace lq::subject

#pragma once
// One typed value of a GGUF metadata block.

#include <string>

#include "common/gguf/cursor.h"
#include "common/gguf/metadata.h"

namespace lq::gguf {

/// Reads the type id and the value. `what` names it in messages. Throws ValidationError for unknown
/// types and for arrays of arrays.
Value read_value(Cursor& cursor, const std::string& what);

}  // namespace lq::gguf

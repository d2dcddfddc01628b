#pragma once
// A text as the model's tokenizer cuts it.

#include <string>

#include "common/cli/result.h"

namespace lq::inspect {

/// The report of --tokenize: one line "id<TAB>piece" per token, or {"ids", "pieces"}. `source` is a
/// file or "-", the whole of standard input. Only the tokenizer files of the directory `model` are
/// read. Throws ModelNotFoundError, ValidationError, UnsupportedError.
cli::ToolResult tokenize(const std::string& model, const std::string& source, bool add_special);

}  // namespace lq::inspect

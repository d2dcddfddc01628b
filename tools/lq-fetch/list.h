#pragma once
// --list: what a fetch would bring.

#include "common/cli/result.h"
#include "tools/lq-fetch/session.h"

namespace lq::fetch {

/// Names and sizes of the chosen files. Writes nothing.
cli::ToolResult list(const Session& session);

}  // namespace lq::fetch

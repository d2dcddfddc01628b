#pragma once
// From a list of files to files that are there: plan, checks, download, finish.

#include "common/cli/result.h"
#include "tools/lq-fetch/session.h"

namespace lq::fetch {

/// Fetches what is missing. Throws the family of base/errors.h.
cli::ToolResult fetch(const Session& session);

}  // namespace lq::fetch

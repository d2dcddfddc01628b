#pragma once
// --verify: hashes what is there.

#include "common/cli/result.h"
#include "tools/lq-fetch/session.h"

namespace lq::fetch {

/// Prints the directory when every file has the hash that the Hub lists, or, offline, that the
/// manifest or the cached list has; where the Hub lists none, the one it had when it came. Says how
/// many files have no known hash. Changes nothing. Throws ValidationError that names what is
/// missing or wrong.
cli::ToolResult verify(const Session& session);

}  // namespace lq::fetch

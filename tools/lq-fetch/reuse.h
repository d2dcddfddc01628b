#pragma once
// Files that lie here already: taken where their content is right, left behind where they are of
// another commit.

#include <vector>

#include "common/net/destination.h"
#include "tools/lq-fetch/record.h"
#include "tools/lq-fetch/session.h"
#include "tools/lq-fetch/snapshot.h"

namespace lq::fetch {

/// Offline, where what is not here cannot be fetched: throws ModelNotFoundError that names the
/// first chosen file that is missing or wrong.
void require_complete(const Session& session, const net::Destination& destination,
                      const Snapshot& snapshot, const Record& record);

/// Removes what a manifest of another commit vouches for and this commit does not have, and that
/// manifest.
void leave_older_commit(const Session& session, const net::Destination& destination,
                        const Snapshot& snapshot);

/// Makes the chosen files that lie here, or in the shared cache, and are right, a part of the
/// destination, and returns the others. Throws stage::Interrupted.
std::vector<net::RepoFile> take_what_is_here(const Session& session, net::Destination& destination,
                                             const Snapshot& snapshot, const Record& record);

}  // namespace lq::fetch

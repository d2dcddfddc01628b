#pragma once
// Files that lie here already: taken where their content is right, left behind where they are of
// another commit.

#include <vector>

#include "common/net/destination.h"
#include "tools/lq-fetch/record.h"
#include "tools/lq-fetch/session.h"
#include "tools/lq-fetch/snapshot.h"

namespace lq::fetch {

/// The first chosen file that is missing or wrong; nullptr where all are here.
const net::RepoFile* first_missing(const Session& session, const net::Destination& destination,
                                   const Snapshot& snapshot, const Record& record);

/// Offline, where what is not here cannot be fetched: throws ModelNotFoundError that names the
/// first one.
void require_complete(const Session& session, const net::Destination& destination,
                      const Snapshot& snapshot, const Record& record);

/// Removes what a manifest of another commit vouches for and this commit does not have, and that
/// manifest.
void leave_older_commit(const Session& session, const net::Destination& destination,
                        const Snapshot& snapshot);

/// Makes the chosen files that lie here and are right a part of the destination, and returns the
/// others. Throws stage::Interrupted, as the next one.
std::vector<net::RepoFile> keep_what_is_right(const Session& session, net::Destination& destination,
                                              const Snapshot& snapshot, const Record& record);

/// In the shared cache: what dead runs for other commits left half-way of the chosen files goes on
/// here where it is missing and they were further, and is removed elsewhere. A commit that a run is
/// at keeps its own.
void settle_partials(const Session& session, net::Destination& destination,
                     const Snapshot& snapshot, const std::vector<net::RepoFile>& missing);

/// Brings those of the files that the shared cache has, and returns the others.
std::vector<net::RepoFile> take_from_cache(const Session& session, net::Destination& destination,
                                           const Snapshot& snapshot,
                                           const std::vector<net::RepoFile>& files);

}  // namespace lq::fetch

#pragma once
// The download of what is not here, told as it goes.

#include <cstdint>
#include <vector>

#include "common/net/destination.h"
#include "common/stage/plan.h"
#include "tools/lq-fetch/session.h"
#include "tools/lq-fetch/snapshot.h"

namespace lq::fetch {

/// Fetches the files into the destination and returns how many bytes came. `work`: a plan, whose
/// units become what is still to come; the observer refers to it. Throws stage::Interrupted, and as
/// net::download. REQUIRES: the lock is held.
std::uint64_t bring(const Session& session, net::Destination& destination, const Snapshot& snapshot,
                    const std::vector<net::RepoFile>& files, stage::Plan& work);

}  // namespace lq::fetch

#pragma once
// What can be known before the first byte comes: how much there is to do, and whether it can be
// done.

#include <vector>

#include "common/net/destination.h"
#include "common/stage/plan.h"
#include "tools/lq-fetch/session.h"
#include "tools/lq-fetch/snapshot.h"

namespace lq::fetch {

struct FetchPlan {
  stage::Plan plan;
  std::vector<net::RepoFile> missing;  // by their names and sizes; what is here may yet be wrong
};

FetchPlan make_plan(const Session& session, const net::Destination& destination,
                    const Snapshot& snapshot);

/// Throws OutputError when nothing can be written there.
void check_writable(const net::Destination& destination);

/// Throws OutputError when the disk has no room for what is missing.
void check_disk(const Session& session, const net::Destination& destination,
                const std::vector<net::RepoFile>& missing);

/// Throws as HubClient::check_access where the Hub refuses the content.
void check_access(const Session& session, const std::string& commit,
                  const std::vector<net::RepoFile>& missing, net::HubClient& hub);

/// Throws OutputError when one of the files, which are not here as the Hub has them, would replace
/// one of the user's, or one that was edited, without --force.
void require_replaceable(const Session& session, const net::Destination& destination,
                         const std::vector<net::RepoFile>& files);

}  // namespace lq::fetch

#pragma once
// Which files of which commit are wanted, from the Hub or from what an earlier run left.

#include <map>
#include <string>
#include <vector>

#include "common/net/destination.h"
#include "tools/lq-fetch/session.h"

namespace lq::fetch {

struct Snapshot {
  std::string commit;
  std::vector<net::RepoFile> all;            // of the commit; empty where that is not known
  std::vector<net::RepoFile> chosen;         // in order of path
  std::map<std::string, std::string> texts;  // by path: contents that were read for the choice
};

/// The commit that the revision stands for: asked of the Hub, or offline what it last was (throws
/// ModelNotFoundError where that is not known).
std::string resolve_commit(const Session& session, net::HubClient* client);

/// Lists and chooses. `client` is nullptr offline: then the list of an earlier run has to do, and
/// ModelNotFoundError is thrown where there is none.
Snapshot choose(const Session& session, const net::Destination& destination,
                const std::string& commit, net::HubClient* client);

}  // namespace lq::fetch

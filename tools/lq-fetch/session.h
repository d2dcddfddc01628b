#pragma once
// What one run works with: where the Hub is, who asks, which repository, and where it goes.

#include <functional>
#include <memory>
#include <string>

#include "common/cli/common_options.h"
#include "common/net/destination.h"
#include "common/net/hub_client.h"
#include "common/net/hub_settings.h"
#include "common/net/repo_operand.h"
#include "common/stage/serial_observer.h"
#include "common/stage/stop.h"
#include "tools/lq-fetch/options.h"

namespace lq::fetch {

struct Session {
  net::HubSettings settings;
  net::HubAccess access;
  net::RepoOperand repo;
  std::string output;  // as typed; empty = the shared cache
  const Options* options = nullptr;
  const cli::CommonOptions* common = nullptr;
  std::shared_ptr<stage::SerialObserver> observer;  // connections report from their own threads
  std::function<stage::StopReason()> stop_reason;
  std::function<void()> keep_going;  // throws stage::Interrupted when there is a reason to stop

  /// nullptr offline.
  std::unique_ptr<net::HubClient> connect() const;
  std::unique_ptr<net::Destination> destination(const std::string& commit) const;
  /// With the revision, where one was given.
  std::string shown_repo() const;
};

/// Reads the environment, the token and the operand. Throws UsageError, ModelNotFoundError.
Session open_session(const std::string& operand, const Options& options,
                     const cli::CommonOptions& common, stage::StageObserver& observer);

}  // namespace lq::fetch

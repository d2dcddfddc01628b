#include "tools/lq-fetch/session.h"

#include <filesystem>
#include <fmt/format.h>

#include "common/base/environment.h"
#include "common/base/text.h"
#include "common/cli/version.h"
#include "common/io/file_status.h"
#include "common/model/origin.h"
#include "common/net/hub_cache.h"
#include "common/net/plain_directory.h"
#include "common/stage/stop.h"

namespace lq::fetch {
namespace {

namespace fs = std::filesystem;

/// A directory that was fetched, named to be verified: which repository and commit it is of.
void open_fetched(const std::string& directory, Session& session) {
  const fs::path real = fs::canonical(directory);
  const nlohmann::ordered_json origin = model::read_origin(real);
  const auto text = [&](const char* key) {
    return origin.is_object() && origin.contains(key) && origin[key].is_string()
               ? origin[key].get<std::string>()
               : std::string();
  };
  if (!net::is_repo_id(text("repo")) || !net::is_commit(text("commit"))) {
    throw base::ModelNotFoundError(
        "cannot verify " + base::escape_controls(directory),
        "nothing in it says which repository and commit it is of",
        "name the repository, and the directory with -o: lq-fetch ORG/NAME -o DIR --verify");
  }
  session.repo = {text("repo"), text("commit"), true};
  if (real.parent_path().filename() == "snapshots") {
    session.output.clear();
    session.settings.cache = real.parent_path().parent_path().parent_path();
  } else {
    session.output = real;
  }
}

void refuse_directory(const std::string& operand) {
  const auto status = io::file_status(operand);
  if (!status || !status->is_directory) return;
  throw base::UsageError(
      fmt::format("cannot fetch {}", base::escape_controls(operand)),
      "there is a directory of that name here",
      fmt::format("give {} to the next tool as it is, or write hf://{} for the repository",
                  base::escape_controls(operand), base::escape_controls(operand)));
}

}  // namespace

std::unique_ptr<net::HubClient> Session::connect() const {
  return settings.offline ? nullptr : std::make_unique<net::HubClient>(access);
}

std::unique_ptr<net::Destination> Session::destination(const std::string& commit) const {
  if (!output.empty()) {
    fs::path directory = fs::absolute(output).lexically_normal();
    if (!directory.has_filename()) directory = directory.parent_path();  // as "x/" and "." leave it
    return std::make_unique<net::PlainDirectory>(directory, commit);
  }
  return std::make_unique<net::HubCache>(settings.cache, repo.id, commit, settings.symlinks);
}

std::string Session::shown_repo() const {
  return repo.revision_given ? fmt::format("{}@{}", repo.id, base::escape_controls(repo.revision))
                             : repo.id;
}

Session open_session(const std::string& operand, const Options& options,
                     const cli::CommonOptions& common, stage::StageObserver& observer) {
  const base::Environment environment = base::Environment::of_process();
  Session session;
  session.options = &options;
  session.common = &common;
  session.observer = std::make_shared<stage::SerialObserver>(observer);
  session.output = common.output;
  session.settings = net::hub_settings(environment);
  session.settings.cache = fs::absolute(session.settings.cache).lexically_normal();
  const auto status = io::file_status(operand);
  if (options.verify && status && status->is_directory) {
    open_fetched(operand, session);
  } else {
    refuse_directory(operand);
    session.repo = net::parse_repo_operand(operand, session.settings.endpoint);
  }
  session.access = net::hub_access(
      session.settings,
      net::find_token(options.token, session.settings, environment, net::unix_now()), environment,
      fmt::format("lq-fetch/{}", cli::version()));
  if (session.access.token.empty() && !environment.get("HF_OIDC_RESOURCE").empty()) {
    observer.warning("HF_OIDC_RESOURCE is not supported", "the run goes on without a token");
  }
  const auto condition = std::make_shared<stage::StopCondition>(common.stage.time_limit_seconds);
  net::listen(
      session.access,
      {.message = [to = session.observer](const std::string& text) { to->message(text); },
       .detail = [to = session.observer](const std::string& text) { to->detail(text); },
       .warning = [to = session.observer](const std::string& what,
                                          const std::string& why) { to->warning(what, why); },
       .stop = [condition] { return condition->reason() != stage::StopReason::kNone; }});
  session.access.patience.hint_option = "--max-wait";
  session.access.patience.longest_hint =
      options.longest_wait.value_or(session.access.patience.longest_hint);
  session.stop_reason = [condition] { return condition->reason(); };
  session.keep_going = [condition] {
    const stage::StopReason reason = condition->reason();
    if (reason != stage::StopReason::kNone) throw stage::Interrupted(reason, 0, 0);
  };
  return session;
}

}  // namespace lq::fetch

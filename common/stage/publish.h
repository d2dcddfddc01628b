#pragma once
// From complete parts to the result: renames, manifest. Every step may be repeated, so that a run
// killed between any two of them is finished by the next one from the `final` line of the journal,
// which holds the manifest.

#include <nlohmann/json.hpp>

#include "common/stage/paths.h"
#include "common/stage/plan.h"

namespace lq::stage {

enum class Publication {
  kImpossible,  // the files are not those that the manifest records
  kReady,       // all are there, the first is still a part
  kBegun        // the result itself is already in its place
};

/// How far the result that `manifest` describes has come.
Publication publication_state(ResultKind kind, const ResultPaths& paths,
                              const nlohmann::json& manifest);

/// Brings it to its end. Of several files the first, which names the others, is renamed last, and
/// an older first file is removed before: a short gap, never a mixture. Throws OutputError.
/// REQUIRES: publication_state() is not kImpossible.
void publish(ResultKind kind, const ResultPaths& paths, const nlohmann::json& manifest);

/// Removes the journals, the run's own last: it may hold the `final` line that the others depend
/// on.
void remove_journals(const ResultPaths& paths);

}  // namespace lq::stage

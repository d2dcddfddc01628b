#pragma once
// What lies at the place of a result before the run: nothing, one of ours, or something that is not
// to be touched.

#include <nlohmann/json.hpp>
#include <string>

#include "common/stage/known_hashes.h"
#include "common/stage/paths.h"
#include "common/stage/plan.h"

namespace lq::stage {

enum class ExistingState {
  kAbsent,
  kIntact,        // ours and as we left it; files may be missing
  kForeign,       // not ours, or changed afterwards: only --force replaces it
  kUnreplaceable  // a directory or device where a file shall be
};

struct ExistingResult {
  ExistingState state = ExistingState::kAbsent;
  nlohmann::json manifest = nullptr;  // of kIntact
  bool complete = false;              // every recorded file is there
  bool current = false;               // complete and of the planned fingerprint: up to date
  bool times_differ = false;
  std::string why = {};  // of kForeign and kUnreplaceable
};

/// Reads headers of no file; a file whose recorded time differs but not its size is hashed, because
/// a copy or a touch is no edit. Throws what `hashes` throws.
ExistingResult examine_existing(const ResultPlan& result, const ResultPaths& paths,
                                KnownHashes& hashes);

/// Throws OutputError when the run must not replace it.
void require_replaceable(const ExistingResult& existing, const ResultPaths& paths, bool force);

/// For a current result: records changed times of inputs, and gives outputs older than an input a
/// new time, so that make is satisfied. Throws OutputError.
void settle_times(const ResultPlan& result, const ResultPaths& paths,
                  const ExistingResult& existing);

/// "up to date (made 2026-01-31T23:59:59Z by lq-quant-gguf 1.2.3)"
std::string up_to_date_text(const nlohmann::json& manifest);

}  // namespace lq::stage

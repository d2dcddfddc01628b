#pragma once
// What decides a result's bytes, as one hash and as text for people.

#include <nlohmann/json.hpp>
#include <string>

#include "common/stage/plan.h"

namespace lq::stage {

/// What the fingerprint is made of, with more about the inputs than enters it (their paths).
/// Journals and manifests carry these keys: tool, format_version, options, fingerprint, inputs
/// (role, path, content_id).
nlohmann::json identity_of(const ResultPlan& result);

/// Why a result with the recorded identity is not the one planned: "option type q4_k_m -> q5_k_m;
/// model changed". `recorded` is a manifest or the first line of a journal.
std::string differences(const nlohmann::json& recorded, const ResultPlan& result);

}  // namespace lq::stage

#pragma once
// A Hugging Face directory as facts: config.json, the headers of the weights, the tokenizer.

#include <filesystem>

#include "common/model/checkpoint.h"
#include "tools/lq-inspect/facts.h"

namespace lq::inspect {

ModelFacts hf_facts(const std::filesystem::path& dir);

/// The directory for estimates: weights that are not there are implied by config.json.
model::Checkpoint open_for_estimate(const std::filesystem::path& dir);

}  // namespace lq::inspect

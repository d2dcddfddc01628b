#pragma once
// A GGUF file as facts; any part of a split one stands for the whole.

#include <filesystem>

#include "tools/lq-inspect/facts.h"

namespace lq::inspect {

ModelFacts gguf_facts(const std::filesystem::path& path);

}  // namespace lq::inspect

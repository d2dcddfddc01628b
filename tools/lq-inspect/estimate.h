#pragma once
// What each output would take: exact bytes of every file, and the memory and disk of the stage that
// makes it.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/model/checkpoint.h"

namespace lq::inspect {

struct Estimate {
  std::string type;         // "Q4_K_M", "AWQ-g128", "GPTQ-4bit-g128"
  std::string tool;         // the stage that makes it
  std::uint64_t bytes = 0;  // of the weights file(s), exact
  double reduction = 0;     // percent below the bytes of the source's tensors
  double bits_per_weight = 0;
  std::uint64_t memory = 0;  // peak of the stage
  std::uint64_t disk = 0;    // free space the stage needs at its output
  std::string refused{};     // why this type cannot be made; empty when it can
};

struct Machine {
  std::uint64_t memory = 0;  // available
  std::uint64_t disk = 0;    // free in the current directory
  int threads = 1;
};

/// True when a word of the comma-separated list is a type that estimate_sizes() knows.
bool names_types(const std::string& list);

/// `types` as --estimate takes it, empty for all. Throws UsageError for an unknown type,
/// UnsupportedError for an architecture that is not converted.
std::vector<Estimate> estimate_sizes(const model::Checkpoint& checkpoint, const std::string& types,
                                     const std::string& importance_path, int n_threads);

Machine this_machine(int n_threads);

}  // namespace lq::inspect

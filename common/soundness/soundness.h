#pragma once
// Is a model sound? Everything that can be told of it without the model that it was made from and
// without running it: the rules of its container, the tensors that its kind of model has, its
// configuration against its tensors, its tokenizer, the numbers that cannot be, and the hashes of its
// manifest; and what runtimes will say of it.
//
// All checks run: a fault hides no other one unless what it spoils cannot be read. Each byte is read
// once (pass.h), memory stays at a few windows of the files.
//
// Not to be found without the reference: a code that became another code where no hash is known,
// tensors of one shape that took each other's place, hyperparameters that are possible and wrong,
// another tokenizer of as many tokens.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/base/finding.h"
#include "common/soundness/verdicts.h"

namespace lq::soundness {

struct Options {
  int n_threads = 1;
  /// Called every few MiB; what it throws ends the check.
  std::function<void()> keep_going = {};
};

struct Soundness {
  base::Findings findings;   // faults first
  std::string container;     // "GGUF", "Hugging Face directory"
  std::string format;        // "gptq", "float"; of a GGUF its most common type: "Q4_K"
  std::string scheme;        // "4 bits, groups of 128, symmetric"; "Q4_K 37, Q6_K 5, F32 13"
  std::string architecture;  // as the file names it; may be empty
  std::size_t n_tensors = 0;
  std::uint64_t n_bytes = 0;  // of the weight files
  bool has_manifest = false;
  std::vector<RuntimeVerdict> runtimes;

  bool is_sound() const;
};

/// `path`: a model directory, or a GGUF file (any part of a split one). Throws ModelNotFoundError
/// when nothing is there; UnsupportedError when it has no faults but is of a kind (architecture,
/// method, type, tokenizer) that is not known. Everything else that is wrong is a finding.
Soundness check(const std::filesystem::path& path, const Options& options);

}  // namespace lq::soundness

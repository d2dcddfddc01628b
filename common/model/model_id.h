#pragma once
// What a repository's name tells about a model: "Qwen2.5-0.5B-Instruct" is the basename Qwen2.5 of
// size 0.5B, fine-tuned as Instruct.

#include <cstdint>
#include <string>
#include <string_view>

namespace lq::model {

/// Parts that cannot be told apart are empty.
struct ModelId {
  std::string basename, size_label, finetune, version;
};

/// `n_parameters` tells the size among numbers that end in a letter of magnitude; 0 = not known.
ModelId split_model_id(std::string_view id, std::uint64_t n_parameters);

/// "meta-llama-3" -> "Meta Llama 3": words capitalised unless they have capitals already or begin
/// with a digit.
std::string title_of(std::string_view id);

/// 134515008 -> "135M", 8030261248 -> "8.0B"; at least two digits.
std::string size_label(std::uint64_t n_parameters);

}  // namespace lq::model

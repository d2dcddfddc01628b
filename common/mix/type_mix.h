#pragma once
// Which type each tensor of a file gets: llama.cpp's rules for its file types, as a table
// (mix_table.cpp).

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/codec/codec.h"
#include "common/model/gguf_model.h"

namespace lq::mix {

/// When a clause of a rule holds. `i` counts the tensors of that role met so far, `n` is their
/// number (for the value projections) or the number of layers.
enum class When : std::uint8_t {
  kNever,
  kAlways,
  kGroupedQueries,       // four or more query heads share a key-value head
  kFirstTwo,             // i < 2
  kFirstFour,            // i < 4
  kFirstEighth,          // i < n/8
  kFirstSixteenth,       // i < n/16
  kFirstEighthWeighted,  // i < n/8, and importance is given
  kMoreBits,             // first and last eighth, and every third between
};

struct Clause {
  When when = When::kNever;
  codec::QuantType type{};
};
/// The first clause that holds decides; if none does, the tensor gets the file type's base.
using Rule = std::array<Clause, 2>;

struct FileType {
  std::string_view name;                        // canonical spelling: "Q4_K_M"
  std::uint32_t id;                             // general.file_type
  codec::QuantType base;                        // what a tensor gets unless a rule says otherwise
  std::optional<codec::QuantType> output = {};  // of the output matrix, where it differs
  Rule v{}, o{}, down{};  // attn_v, attn_output, ffn_down; other matrices always get the base
  bool base_needs_importance =
      false;  // matrices of the base type cannot be made without importance
  std::string_view without_importance = {};  // what to tell a user who gives none; empty = nothing
};

std::span<const FileType> file_types();
/// Case does not matter; "Q4_K" means "Q4_K_M". nullptr when there is none of that name.
const FileType* known_file_type(std::string_view name);
/// The same; throws UsageError naming the nearest spelling when there is none.
const FileType& find_file_type(std::string_view name);
/// The type of that name for a single tensor ("q6_k", "F16"), among those that can be written. Case
/// does not matter. Throws UsageError naming the nearest spelling.
codec::QuantType find_tensor_type(std::string_view name);

/// The user's own wishes over a mix.
struct MixOverrides {
  struct Pattern {
    std::string
        regex;  // ECMAScript, searched in the GGUF tensor name, case matters, first match wins
    codec::QuantType type;
  };
  std::vector<Pattern> patterns = {};
  std::optional<codec::QuantType> output = {}, embedding = {};  // these win over patterns
  bool pure = false;  // no rules: every matrix gets the base
};

struct TensorChoice {
  codec::QuantType type;
  std::optional<codec::QuantType> fallback_from;  // set when the row length forced another type
};

/// One choice per tensor, in order. Tensors that are no matrix are F32. Throws UsageError for a
/// pattern that is no regular expression or that matches no matrix, and for a type that is not
/// written. REQUIRES: `tensors` sorted as gguf_tensors() sorts them.
std::vector<TensorChoice> choose_types(const FileType& file_type,
                                       std::span<const model::GgufTensor> tensors,
                                       const model::ModelConfig& config, bool has_importance,
                                       const MixOverrides& overrides);

/// Whether a tensor cannot be made as chosen unless its own importance is known. Embeddings and
/// output never need it.
bool needs_importance(const FileType& file_type, const model::GgufTensor& tensor,
                      const TensorChoice& choice);

/// The tensors whose rows forced another type, a sentence each group; empty when there are none.
std::vector<std::string> fallback_notes(std::span<const model::GgufTensor> tensors,
                                        std::span<const TensorChoice> choices);

}  // namespace lq::mix

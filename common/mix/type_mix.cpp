#include "common/mix/type_mix.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <regex>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::mix {
namespace {

using codec::QuantType;
using model::GgufTensor;
using model::TensorRole;

/// What the rules ask about a model.
struct ModelFacts {
  std::int64_t n_layers = 0, n_value = 0;
  bool grouped_queries = false;
  bool is_70b = false;  // llama.cpp gives its value projections more bits
  bool tied_output = false;
  bool has_importance = false;
};

ModelFacts facts_of(std::span<const GgufTensor> tensors, const model::ModelConfig& config,
                    bool has_importance) {
  ModelFacts facts;
  facts.n_layers = config.n_layers;
  facts.n_value = std::ranges::count(tensors, TensorRole::kAttnV, &GgufTensor::role) -
                  std::ranges::count_if(tensors, [](const GgufTensor& tensor) {
                    return tensor.role == TensorRole::kAttnV && !tensor.is_matrix;
                  });
  facts.grouped_queries = config.n_heads / std::max<std::int64_t>(config.n_kv_heads, 1) >= 4;
  facts.is_70b = config.n_layers == 80 && config.n_heads != config.n_kv_heads;
  facts.tied_output = std::ranges::none_of(
      tensors, [](const GgufTensor& t) { return t.role == TensorRole::kOutput; });
  facts.has_importance = has_importance;
  return facts;
}

bool holds(When when, std::int64_t i, std::int64_t n, const ModelFacts& facts) {
  switch (when) {
    case When::kNever:
      return false;
    case When::kAlways:
      return true;
    case When::kGroupedQueries:
      return facts.grouped_queries;
    case When::kFirstTwo:
      return i < 2;
    case When::kFirstFour:
      return i < 4;
    case When::kFirstEighth:
      return i < n / 8;
    case When::kFirstSixteenth:
      return i < n / 16;
    case When::kFirstEighthWeighted:
      return facts.has_importance && i < n / 8;
    case When::kMoreBits:
      return i < n / 8 || i >= 7 * n / 8 || (i - n / 8) % 3 == 2;
  }
  return false;
}

/// Applies the rules of a file type to the matrices of a model, met in order.
class Mixer {
 public:
  Mixer(const FileType& file_type, const ModelFacts& facts)
      : file_type_(file_type), facts_(facts) {}

  /// The output matrix, or the embeddings where they are used in its place.
  bool serves_as_output(const GgufTensor& tensor) const {
    return tensor.role == TensorRole::kOutput ||
           (tensor.role == TensorRole::kTokenEmbedding && facts_.tied_output);
  }

  QuantType next(const GgufTensor& tensor) {
    const QuantType base = file_type_.base;
    if (serves_as_output(tensor)) return output_type(tensor);
    switch (tensor.role) {
      case TensorRole::kAttnV:
      case TensorRole::kAttnQkv:
        return value_type(apply(file_type_.v, n_value_++, facts_.n_value));
      case TensorRole::kAttnOutput:
        return apply(file_type_.o, 0, facts_.n_layers);
      case TensorRole::kFfnDown:
        return apply(file_type_.down, n_down_++, facts_.n_layers);
      default:
        return base;
    }
  }

 private:
  QuantType output_type(const GgufTensor& tensor) const {
    const codec::Codec& base = codec::codec(file_type_.base);
    if (!base.quantized) return file_type_.base;
    if (tensor.row_elems() % base.block_elems != 0) return QuantType::kQ8_0;
    return file_type_.output.value_or(file_type_.base);
  }

  QuantType apply(const Rule& rule, std::int64_t i, std::int64_t n) const {
    for (const Clause& clause : rule) {
      if (holds(clause.when, i, n, facts_)) return clause.type;
    }
    return file_type_.base;
  }

  QuantType value_type(QuantType type) const {
    const bool coarse = type == QuantType::kQ3K || type == QuantType::kQ4K;
    return facts_.is_70b && coarse ? QuantType::kQ5K : type;
  }

  const FileType& file_type_;
  const ModelFacts& facts_;
  std::int64_t n_value_ = 0, n_down_ = 0;
};

/// A user's pattern, and whether it was of any use.
struct CompiledPattern {
  std::regex regex;
  QuantType type;
  bool matched = false;
};

std::vector<CompiledPattern> compile(std::span<const MixOverrides::Pattern> patterns) {
  std::vector<CompiledPattern> compiled;
  for (const MixOverrides::Pattern& pattern : patterns) {
    try {
      compiled.push_back({std::regex(pattern.regex), pattern.type});
    } catch (const std::regex_error& error) {
      throw base::UsageError(
          fmt::format("cannot use the pattern '{}'", base::escape_controls(pattern.regex)),
          fmt::format("it is not a regular expression: {}", error.what()),
          "write it like --tensor-type 'attn_v=Q6_K' or 'blk\\.[0-3]\\.ffn_down=Q5_K'");
    }
  }
  return compiled;
}

bool matches(const CompiledPattern& pattern, const std::string& name) {
  try {
    return std::regex_search(name, pattern.regex);
  } catch (const std::regex_error& error) {
    throw base::UsageError("cannot match the pattern of a --tensor-type",
                           fmt::format("it is too complex: {}", error.what()),
                           "write a simpler regular expression");
  }
}

std::optional<QuantType> matched_type(std::vector<CompiledPattern>& patterns,
                                      const std::string& name) {
  for (CompiledPattern& pattern : patterns) {
    if (!matches(pattern, name)) continue;
    pattern.matched = true;
    return pattern.type;
  }
  return std::nullopt;
}

/// The type that takes the place of one whose block does not divide the row.
QuantType fitting(QuantType type, std::uint64_t row_elems) {
  if (row_elems % codec::codec(type).block_elems == 0) return type;
  constexpr std::array<std::pair<QuantType, QuantType>, 5> kInstead = {
      {{QuantType::kQ2K, QuantType::kQ4_0},
       {QuantType::kQ3K, QuantType::kQ4_0},
       {QuantType::kQ4K, QuantType::kQ5_0},
       {QuantType::kQ5K, QuantType::kQ5_1},
       {QuantType::kQ6K, QuantType::kQ8_0}}};
  for (const auto& [wanted, instead] : kInstead) {
    if (wanted == type && row_elems % codec::codec(instead).block_elems == 0) return instead;
  }
  return QuantType::kF16;
}

void require_written(QuantType type) {
  const codec::Codec& codec = codec::codec(type);
  if (codec.encode != nullptr) return;
  throw base::UsageError(fmt::format("cannot write tensors of type {}", codec.name),
                         "this type is only read", "choose another type");
}

void require_written(const MixOverrides& overrides) {
  for (const MixOverrides::Pattern& pattern : overrides.patterns) require_written(pattern.type);
  if (overrides.output) require_written(*overrides.output);
  if (overrides.embedding) require_written(*overrides.embedding);
}

void require_useful(std::span<const CompiledPattern> compiled, const MixOverrides& overrides) {
  for (std::size_t i = 0; i < compiled.size(); ++i) {
    if (compiled[i].matched) continue;
    throw base::UsageError(
        fmt::format("the pattern '{}' chooses nothing",
                    base::escape_controls(overrides.patterns[i].regex)),
        "no matrix of this model has a name that it matches and that no earlier pattern took",
        "list the names with lq-inspect --tensors");
  }
}

}  // namespace

std::vector<TensorChoice> choose_types(const FileType& file_type,
                                       std::span<const GgufTensor> tensors,
                                       const model::ModelConfig& config, bool has_importance,
                                       const MixOverrides& overrides) {
  require_written(overrides);
  const ModelFacts facts = facts_of(tensors, config, has_importance);
  Mixer mixer(file_type, facts);
  std::vector<CompiledPattern> patterns = compile(overrides.patterns);
  std::vector<TensorChoice> choices;
  for (const GgufTensor& tensor : tensors) {
    if (!tensor.is_matrix) {
      choices.push_back({QuantType::kF32, std::nullopt});
      continue;
    }
    const std::optional<QuantType> wished = matched_type(patterns, tensor.name);
    // As in llama.cpp, a tensor that the user decides about is not counted by the rules.
    QuantType type = wished ? *wished : overrides.pure ? file_type.base : mixer.next(tensor);
    if (mixer.serves_as_output(tensor)) type = overrides.output.value_or(type);
    if (tensor.role == TensorRole::kTokenEmbedding) type = overrides.embedding.value_or(type);
    const QuantType fits = fitting(type, tensor.row_elems());
    choices.push_back({fits, fits == type ? std::nullopt : std::optional(type)});
  }
  require_useful(patterns, overrides);
  return choices;
}

bool needs_importance(const FileType& file_type, const GgufTensor& tensor,
                      const TensorChoice& choice) {
  return file_type.base_needs_importance && tensor.is_matrix && choice.type == file_type.base &&
         tensor.role != TensorRole::kOutput && tensor.role != TensorRole::kTokenEmbedding;
}

std::vector<std::string> fallback_notes(std::span<const GgufTensor> tensors,
                                        std::span<const TensorChoice> choices) {
  std::map<std::pair<QuantType, QuantType>, std::size_t> groups;  // wanted, got
  for (const TensorChoice& choice : choices) {
    if (choice.fallback_from) ++groups[{*choice.fallback_from, choice.type}];
  }
  std::vector<std::string> notes;
  for (const auto& [types, n] : groups) {
    const auto first = std::ranges::find_if(choices, [&](const TensorChoice& choice) {
      return choice.fallback_from == types.first && choice.type == types.second;
    });
    const GgufTensor& tensor = tensors[static_cast<std::size_t>(first - choices.begin())];
    const codec::Codec& wanted = codec::codec(types.first);
    notes.push_back(
        fmt::format("{} become{} {} instead of {}, because rows are no multiple of {} (the first "
                    "is {} with rows of {})",
                    n == 1 ? "1 tensor" : fmt::format("{} tensors", n), n == 1 ? "s" : "",
                    codec::codec(types.second).name, wanted.name, wanted.block_elems, tensor.name,
                    tensor.row_elems()));
  }
  return notes;
}

}  // namespace lq::mix

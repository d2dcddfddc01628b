#include "common/behaviour/continuation.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <utility>

#include "common/behaviour/prediction_rows.h"
#include "common/forward/layer.h"
#include "common/forward/layer_pass.h"
#include "common/linalg/product.h"

namespace lq::behaviour {
namespace {

using forward::NextTokens;
using linalg::Matrix;
using model::TensorRole;

/// The decoder layers, some of them in memory.
class Layers {
 public:
  Layers(const Model& model, const ContinuationOptions& options)
      : model_(model), options_(options) {
    const std::uint64_t of_one = layer_bytes(model.config, options.compute);
    const auto n_layers = static_cast<std::uint64_t>(model.config.n_layers);
    n_kept_ = static_cast<std::size_t>(std::min(n_layers, options.weights_memory / of_one));
  }

  /// Until the next call.
  const forward::Layer& get(std::size_t layer) {
    if (layer < kept_.size()) return kept_[layer];
    forward::Layer& place = layer < n_kept_ ? kept_.emplace_back() : passing_;
    place = forward::load_layer(model_.weights, model_.config, static_cast<int>(layer),
                                options_.compute, options_.n_threads);
    return place;
  }

 private:
  const Model& model_;
  const ContinuationOptions& options_;
  std::size_t n_kept_ = 0;
  std::vector<forward::Layer> kept_;
  forward::Layer passing_;
};

/// A model that reads some tokens of each window at a time.
class Reader {
 public:
  Reader(const Model& model, const ContinuationOptions& options, std::size_t longest,
         std::size_t room)
      : model_(model),
        options_(options),
        longest_(longest),
        room_(room),
        layers_(model, options),
        pass_(model.config, options.compute, options.n_threads),
        heads_(static_cast<std::size_t>(model.config.n_layers)),
        norm_(forward::load_vector(model.weights, {TensorRole::kOutputNorm})),
        head_(forward::load_linear(model.weights, model.config, TensorRole::kOutput, -1,
                                   options.compute, options.n_threads)
                  .weight) {}

  /// The likeliest token behind the last of each window's; `ids`: of the windows one after the
  /// other.
  TokenList read(std::span<const NextTokens> tokens, std::span<const std::int32_t> ids) {
    std::vector<float> h =
        forward::embed(model_.weights, ids, static_cast<std::size_t>(model_.config.hidden));
    for (std::size_t i = 0; i < heads_.size(); ++i) {
      const forward::Layer& layer = layers_.get(i);
      const Matrix& x = pass_.attend_next(layer, tokens, pass_.attention_input(layer, h), longest_,
                                          room_, heads_[i]);
      pass_.attention_output(layer, x, h);
      pass_.mlp_output(layer, pass_.mlp_activation(layer, pass_.mlp_input(layer, h)), h);
      require_finite(h, static_cast<int>(i));
      if (options_.passed) options_.passed(ids.size());
    }
    return likeliest_behind(tokens, pass_.normalized(norm_, h));
  }

 private:
  TokenList likeliest_behind(std::span<const NextTokens> tokens, const Matrix& states) {
    Matrix last(tokens.size(), states.columns(), options_.compute);
    std::size_t row = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      row += tokens[i].last - tokens[i].first;
      std::memcpy(last.at(i, 0), states.at(row - 1, 0), last.row_bytes());
    }
    std::vector<float> logits(tokens.size() * head_.rows());
    linalg::multiply(last, head_, logits.data(), linalg::Into::kReplace, options_.n_threads);
    TokenList result;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      result.push_back(likeliest(std::span(logits).subspan(i * head_.rows(), head_.rows())));
    }
    return result;
  }

  const Model& model_;
  const ContinuationOptions& options_;
  const std::size_t longest_, room_;
  Layers layers_;
  forward::LayerPass pass_;
  std::vector<forward::Heads> heads_;  // of each layer
  const std::vector<float> norm_;
  const linalg::PackedMatrix head_;
};

}  // namespace

std::vector<TokenList> continue_greedily(const Model& model, std::span<const TokenList> prompts,
                                         const ContinuationOptions& options) {
  std::vector<TokenList> results(prompts.size());
  std::vector<NextTokens> next;
  std::vector<std::size_t> of_prompt;  // of each that goes on
  TokenList ids;
  std::size_t room = 0, longest = 0;
  for (const TokenList& prompt : prompts) {
    of_prompt.push_back(next.size());
    next.push_back({room, 0, prompt.size()});
    ids.insert(ids.end(), prompt.begin(), prompt.end());
    room += prompt.size() + options.n_tokens;
    longest = std::max(longest, prompt.size() + options.n_tokens);
  }
  if (prompts.empty() || options.n_tokens == 0) return results;
  Reader reader(model, options, longest, room);
  for (std::size_t step = 0; step < options.n_tokens && !next.empty(); ++step) {
    const TokenList tokens = reader.read(next, ids);
    std::vector<NextTokens> going;
    std::vector<std::size_t> of_going;
    ids.clear();
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      results[of_prompt[i]].push_back(tokens[i]);
      if (std::ranges::find(options.ends, tokens[i]) != options.ends.end()) continue;
      going.push_back({next[i].begin, next[i].last, next[i].last + 1});
      of_going.push_back(of_prompt[i]);
      ids.push_back(tokens[i]);
    }
    next = std::move(going);
    of_prompt = std::move(of_going);
  }
  return results;
}

std::size_t n_common(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

Repetition repetition_of(std::span<const std::int32_t> tokens) {
  Repetition repetition;
  constexpr std::size_t kGroup = 4;
  std::set<std::array<std::int32_t, kGroup>> groups;
  for (std::size_t i = 0; i + kGroup <= tokens.size(); ++i) {
    std::array<std::int32_t, kGroup> group{};
    std::ranges::copy(tokens.subspan(i, kGroup), group.begin());
    groups.insert(group);
  }
  if (tokens.size() >= kGroup) {
    const std::size_t n = tokens.size() - kGroup + 1;
    repetition.repeated_share = static_cast<double>(n - groups.size()) / static_cast<double>(n);
  }
  for (std::size_t period = 1; 2 * period <= tokens.size(); ++period) {
    std::size_t run = 0;  // tokens in a row that are what was said a period before
    for (std::size_t i = period; i < tokens.size(); ++i) {
      run = tokens[i] == tokens[i - period] ? run + 1 : 0;
      if (run >= period) {
        repetition.longest_loop = std::max(repetition.longest_loop, run + period);
      }
    }
  }
  return repetition;
}

std::vector<ContinuationPair> continue_both(const Model& reference, const Model& other,
                                            std::span<const TokenList> prompts,
                                            const ContinuationOptions& options) {
  std::vector<ContinuationPair> pairs(prompts.size());
  std::vector<TokenList> of_reference = continue_greedily(reference, prompts, options);
  std::vector<TokenList> of_other = continue_greedily(other, prompts, options);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    ContinuationPair& pair = pairs[i];
    pair.reference = std::move(of_reference[i]);
    pair.other = std::move(of_other[i]);
    pair.n_common = n_common(pair.reference, pair.other);
    pair.of_reference = repetition_of(pair.reference);
    pair.of_other = repetition_of(pair.other);
  }
  return pairs;
}

}  // namespace lq::behaviour

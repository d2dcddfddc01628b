#include "common/fidelity/likely_cause.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <optional>
#include <vector>

#include "common/fidelity/identity.h"
#include "common/model/gguf_rows.h"

namespace lq::fidelity {
namespace {

using forward::WeightKey;
using kernels::ErrorSums;
using model::TensorRole;

// Where a repair works it gives what a sound tensor has; by chance there is next to nothing.
constexpr double kLeastFloatCosine = 0.9;
// Of plain floats that are the reference's but for one factor.
constexpr double kLeastScaledCosine = 0.9999;
constexpr std::size_t kFewRows = 16;

double cosine(const ErrorSums& sums) {
  const double norm = std::sqrt(sums.ww * sums.qq);
  return norm > 0 ? sums.wq / norm : 0;
}

double cosine(std::span<const float> w, std::span<const float> q) {
  ErrorSums sums;
  kernels::add_error_sums(w.data(), q.data(), w.size(), sums);
  return cosine(sums);
}

bool is_near(double value, double wanted) { return std::abs(value / wanted - 1) < 0.15; }

/// One tensor and what was sampled of it.
class Trial {
 public:
  Trial(const TensorPair& pair, const Folds& folds)
      : pair_(pair),
        folds_(folds),
        sample_(sample_rows(pair)),
        least_(pair.storage.quantized() ? least_cosine(pair.storage.bits) : kLeastFloatCosine) {
    for (std::size_t i = 0; i < sample_.rows.size(); ++i) apply(sample_.rows[i], row(sample_.w, i));
  }

  bool is_zero() const {
    return std::ranges::all_of(sample_.q, [](float value) { return value == 0; });
  }
  bool is_negative() const { return cosine(sample_.w, sample_.q) <= -least_; }

  bool is_off_by_a_step() const {
    std::vector<float> steps(sample_.columns), down = sample_.q, up = sample_.q;
    for (std::size_t i = 0; i < sample_.rows.size(); ++i) {
      const std::size_t first = sample_.rows[i] * sample_.columns;
      if (!pair_.result->read_steps(first, steps)) return false;
      for (std::size_t j = 0; j < sample_.columns; ++j) {
        down[i * sample_.columns + j] -= steps[j];
        up[i * sample_.columns + j] += steps[j];
      }
    }
    return works(down) || works(up);
  }

  const CodeOrder* code_order() const {
    const CodeOrder* best = nullptr;
    double highest = least_;
    std::vector<float> q(sample_.q.size());
    for (const CodeOrder& order : pair_.result->orders()) {
      for (std::size_t i = 0; i < sample_.rows.size(); ++i) {
        pair_.result->read_ordered(order, sample_.rows[i] * sample_.columns, row(q, i));
      }
      const double found = cosine(sample_.w, q);
      if (found > highest) {
        highest = found;
        best = &order;
      }
    }
    return best;
  }

  /// Whether the reference's row r is the result's row at(r).
  bool has_rows_at(const std::function<std::size_t(std::size_t)>& at) const {
    std::vector<float> q(sample_.q.size());
    for (std::size_t i = 0; i < sample_.rows.size(); ++i) {
      const std::size_t stands = at(sample_.rows[i]);
      pair_.result->read(stands * sample_.columns, row(q, i));
    }
    return works(q);
  }

  bool is_transposed() const {
    if (pair_.rows != pair_.columns) return false;
    std::vector<float> all(pair_.rows * pair_.columns), turned(sample_.q.size());
    pair_.reference->read(pair_.key, 0, all);
    for (std::size_t i = 0; i < sample_.rows.size(); ++i) {
      for (std::size_t j = 0; j < pair_.columns; ++j) {
        turned[i * pair_.columns + j] = all[j * pair_.columns + sample_.rows[i]];
      }
    }
    return cosine(turned, sample_.q) >= least_;
  }

  /// Whether the sampled rows are those of another tensor of the reference, of the same shape.
  bool is_that_of(const WeightKey& other) const {
    const std::size_t n = std::min(kFewRows, sample_.rows.size());
    std::vector<float> w(n * sample_.columns), q(w.size());
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t from = i * sample_.rows.size() / n;
      pair_.reference->read(other, sample_.rows[from] * sample_.columns, row(w, i));
      std::copy_n(sample_.q.begin() + static_cast<std::ptrdiff_t>(from * sample_.columns),
                  sample_.columns, row(q, i).begin());
    }
    if (pair_.is_matrix()) return cosine(w, q) >= least_;
    // The norms of a model are much alike.
    const auto rounding = static_cast<float>(pair_.storage.rounding);
    return std::ranges::equal(
        w, q, [&](float a, float b) { return std::abs(a - b) <= rounding * std::abs(a); });
  }

 private:
  bool works(std::span<const float> q) const { return cosine(sample_.w, q) >= least_; }
  std::span<float> row(std::vector<float>& values, std::size_t i) const {
    return std::span(values).subspan(i * sample_.columns, sample_.columns);
  }
  void apply(std::size_t row, std::span<float> values) const {
    folds_.apply(pair_, row * sample_.columns, values);
  }

  const TensorPair& pair_;
  const Folds& folds_;
  RowSample sample_;
  const double least_;
};

/// Of a tensor in the right place, with wrong numbers.
std::string numbers_cause(const TensorError& error) {
  const double most = error.sums.n / 2;
  if (!error.storage.quantized() && static_cast<double>(error.n_beyond_rounding) < most) return {};
  if (error.cosine() <
      (error.storage.quantized() ? least_cosine(error.storage.bits) : kLeastScaledCosine)) {
    return {};
  }
  const double steps = error.mean_steps.value_or(0);
  if (is_near(std::abs(steps), 1)) return "its zero points are off by one";
  const std::string of = error.storage.quantized() ? "its scales" : "its values";
  if (is_near(error.gain(), 2)) return of + " are doubled";
  if (is_near(error.gain(), 0.5)) return of + " are halved";
  const bool gain_is_out = error.gain() < kLeastGain || error.gain() > kMostGain;
  if (gain_is_out) return fmt::format("its values are {:.2f} times those", error.gain());
  return steps == 0 ? "" : "its values are shifted against those of the reference";
}

std::string heads_cause(const Sides& sides, const TensorPair& pair, const Trial& trial) {
  const model::ModelConfig& config = sides.reference.config();
  const bool is_q = pair.key.role == TensorRole::kAttnQ;
  if (!is_q && pair.key.role != TensorRole::kAttnK) return {};
  const auto heads = static_cast<int>(is_q ? config.n_heads : config.n_kv_heads);
  if (pair.rows % (2 * static_cast<std::size_t>(heads)) != 0) return {};
  const bool forward = trial.has_rows_at([&](std::size_t row) {
    return static_cast<std::size_t>(model::gguf_row(row, pair.rows, heads));
  });
  const bool back = !forward && trial.has_rows_at([&](std::size_t row) {
    return static_cast<std::size_t>(model::checkpoint_row(row, pair.rows, heads));
  });
  if (!forward && !back) return {};
  const model::TensorRow& row = table_row(sides.result.architecture(), pair.key.role);
  const bool should_be = sides.result.container() == subject::Container::kGguf &&
                         row.transform != model::ValueTransform::kNone;
  if (!should_be) return "the rows of its heads are permuted, and should not be";
  return forward ? "the rows of its heads are permuted twice"
                 : "the rows of its heads are not permuted for the runtime";
}

std::string other_tensor_cause(const Sides& sides, const TensorPair& pair, const Trial& trial) {
  const tensor::Shape shape = sides.reference.weights().shape(pair.key);
  for (const model::TensorRow& row : sides.reference.architecture().tensors) {
    const int first = row.per_layer() ? 0 : -1;
    const int end = row.per_layer() ? static_cast<int>(sides.reference.config().n_layers) : 0;
    for (int layer = first; layer < end; ++layer) {
      const WeightKey key{row.role, layer, pair.key.is_bias};
      if (key == pair.key || sides.reference.weights().shape(key) != shape) continue;
      if (trial.is_that_of(key)) {
        return fmt::format("it is {} of the reference", sides.stored.name(key));
      }
    }
  }
  return {};
}

}  // namespace

const Folds& LikelyCauses::folds_of(int layer) const {
  static const Folds kNone;
  const auto found = std::ranges::find(comparison_.folds, layer, &std::pair<int, Folds>::first);
  return found == comparison_.folds.end() ? kNone : found->second;
}

std::string LikelyCauses::of(const TensorError& error) const {
  const std::string numbers = numbers_cause(error);
  if (!numbers.empty() && error.is_matrix) return numbers;
  const TensorPair pair = open_pair(sides_, error.key);
  const Trial trial(pair, folds_of(error.key.layer));
  if (trial.is_zero()) return "all its values are zero";
  if (pair.is_matrix()) {
    if (trial.is_negative()) return "its values have the opposite sign";
    if (trial.is_off_by_a_step()) return "its zero points are off by one";
    if (const CodeOrder* const order = trial.code_order()) return std::string(order->name);
    if (std::string cause = heads_cause(sides_, pair, trial); !cause.empty()) return cause;
    if (trial.is_transposed()) return "it is transposed";
  }
  std::string other = other_tensor_cause(sides_, pair, trial);
  return other.empty() ? numbers : other;
}

}  // namespace lq::fidelity

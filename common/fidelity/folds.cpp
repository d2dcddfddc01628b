#include "common/fidelity/folds.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <optional>

#include "common/base/errors.h"
#include "common/calibration/sites.h"
#include "common/kernels/error_sums.h"
#include "common/parallel/parallel_for.h"

namespace lq::fidelity {
namespace {

using forward::Site;
using forward::WeightKey;
using kernels::ErrorSums;
using model::TensorRole;

struct Producer {
  Site site;
  TensorRole role;
  bool by_kv_heads = false;
};
// Norms come first: what reads them gives channels in turn, and its columns are scaled.
constexpr std::array kProducers = {
    Producer{Site::kAttnIn, TensorRole::kAttnNorm},
    Producer{Site::kMlpIn, TensorRole::kFfnNorm},
    Producer{Site::kAttnOut, TensorRole::kAttnV, true},
    Producer{Site::kMlpDown, TensorRole::kFfnUp},
};

// A tensor that has less in common with the reference's is not the reference's; it tells nothing.
constexpr double kLeastLikeness = 0.3;
// Of the rows of what gives channels.
constexpr std::size_t kPrefixColumns = 1024;
// Logarithms of gains that spread by less are no scales: sound codes spread them by 0.03, 0.08 and
// 0.18 at 4, 3 and 2 bits; the scales of tools by 0.03 to 0.17 where a model has no outliers.
double least_spread(int bits) {
  if (bits >= 4) return 0.05;
  return bits == 3 ? 0.12 : 0.3;
}
// How far the exponent between both sides may be from 1, and a channel from the others.
constexpr double kExponentMiss = 0.3, kChannelMiss = 0.2;
// Of channels that do not fit.
constexpr double kOddShare = 0.05;
constexpr double kSigmas = 6, kSpreadSigmas = 3;
// The product of both sides' gains; sound 2-bit results come down to 0.67.
constexpr double kLeastProduct = 0.45, kMostProduct = 1.6;

/// Gains of channels as logarithms, with the error that quantization gives them.
struct Gains {
  std::vector<double> log, error;  // an error of 0: there is nothing to tell
  std::vector<double> coarseness;  // of the channel's codes: error of one element, relative

  explicit Gains(const std::vector<ErrorSums>& sums) {
    for (const ErrorSums& one : sums) {
      const double noise = std::sqrt(std::max(one.qq * one.ww - one.wq * one.wq, 0.0));
      const bool told = one.wq > 0;
      log.push_back(told ? std::log(one.wq / one.ww) : 0);
      coarseness.push_back(told ? noise / one.wq : 0);
      error.push_back(told ? noise / one.wq / std::sqrt(one.n) + 1e-9 : 0);
    }
  }
};

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Standard deviation as the median of distances tells it.
double spread(const std::vector<double>& values) {
  const double center = median(values);
  std::vector<double> distances;
  for (const double value : values) distances.push_back(std::abs(value - center));
  return 1.4826 * median(distances);
}

/// y over x, both logarithms of what should be the same scale.
struct Fit {
  double spread_x = 0, spread_y = 0, noise_x = 0, noise_y = 0;
  double slope = 0, slope_error = 0, correlation = 0;
  double offset = 0;     // median of y - x
  double odd_share = 0;  // of channels where y - x - offset is beyond the noise

  Fit(const std::vector<double>& x, const std::vector<double>& x_error,
      const std::vector<double>& y, const std::vector<double>& y_error) {
    std::vector<double> a, b, a_error, b_error, difference, error;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (y_error[i] == 0 || x_error[i] == 0) continue;
      a.push_back(x[i]);
      b.push_back(y[i]);
      a_error.push_back(x_error[i]);
      b_error.push_back(y_error[i]);
      difference.push_back(y[i] - x[i]);
      error.push_back(std::hypot(x_error[i], y_error[i]));
    }
    if (a.empty()) return;
    const auto n = static_cast<double>(a.size());
    noise_x = median(a_error);
    noise_y = median(b_error);
    spread_x = spread(a);
    spread_y = spread(b);
    offset = median(difference);
    set_slope(a, b);
    double odd = static_cast<double>(x.size()) - n;
    for (std::size_t i = 0; i < a.size(); ++i) {
      odd += std::abs(difference[i] - offset) > std::max(kChannelMiss, kSigmas * error[i]) ? 1 : 0;
    }
    odd_share = odd / static_cast<double>(x.size());
  }

 private:
  /// Channels far out are drawn in to four times the spread.
  void set_slope(const std::vector<double>& a, const std::vector<double>& b) {
    const double center_a = median(a), center_b = median(b);
    double aa = 0, ab = 0, bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double far_a = 4 * spread_x + 1e-6, far_b = 4 * spread_y + 1e-6;
      const double da = std::clamp(a[i] - center_a, -far_a, far_a);
      const double db = std::clamp(b[i] - center_b, -far_b, far_b);
      aa += da * da;
      ab += da * db;
      bb += db * db;
    }
    if (aa == 0 || bb == 0) return;
    slope = ab / aa;
    correlation = ab / std::sqrt(aa * bb);
    slope_error = noise_y / std::sqrt(aa);
  }
};

/// What the exponent between both sides says of scales that do not fit.
std::string misfit(double exponent) {
  if (exponent < 0.25) return "the columns that read it are not multiplied by them";
  if (exponent < 0.75) return "it was divided by them twice";
  if (exponent > 1.5) return "the columns that read it were multiplied by them twice";
  return "the columns that read it were multiplied by others";
}

std::vector<ErrorSums> column_sums(const RowSample& sample) {
  std::vector<ErrorSums> sums(sample.columns);
  for (std::size_t i = 0; i < sample.rows.size(); ++i) {
    const float* const w = sample.w.data() + i * sample.columns;
    const float* const q = sample.q.data() + i * sample.columns;
    for (std::size_t j = 0; j < sample.columns; ++j) {
      sums[j].ww += double{w[j]} * double{w[j]};
      sums[j].wq += double{w[j]} * double{q[j]};
      sums[j].qq += double{q[j]} * double{q[j]};
      sums[j].n += 1;
    }
  }
  return sums;
}

/// Mean cosine of rows or columns, which scales of them do not change.
double likeness(const std::vector<ErrorSums>& sums) {
  double sum = 0;
  for (const ErrorSums& one : sums) {
    const double norm = std::sqrt(one.ww * one.qq);
    sum += norm > 0 ? one.wq / norm : 0;
  }
  return sum / static_cast<double>(sums.size());
}

/// `known`: of the columns.
std::vector<ErrorSums> row_sums(const TensorPair& pair, const Folds& known, int n_threads) {
  std::vector<ErrorSums> sums(pair.rows);
  const std::size_t n = std::min(pair.columns, kPrefixColumns);
  parallel::parallel_for(pair.rows, n_threads, [&](std::size_t row, int) {
    std::vector<float> w(n), q(n);
    pair.reference->read(pair.key, row * pair.columns, w);
    pair.result->read(row * pair.columns, q);
    known.apply(pair, row * pair.columns, w);
    kernels::add_error_sums(w.data(), q.data(), n, sums[row]);
  });
  return sums;
}

std::vector<float> exponentials(const std::vector<double>& logs) {
  std::vector<float> out;
  for (const double log : logs) out.push_back(static_cast<float>(std::exp(log)));
  return out;
}

}  // namespace

template <class Change>
void Folds::change(const TensorPair& pair, std::size_t first, std::span<float> values,
                   const Change& changed) const {
  const std::span<const float> by_row = rows(pair.key), by_column = columns(pair.key);
  if (by_row.empty() && by_column.empty()) return;
  if (!pair.is_matrix()) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = changed(values[i], by_row[first + i], 1);
    }
    return;
  }
  for (std::size_t done = 0; done < values.size();) {
    const std::size_t row = (first + done) / pair.columns, column = (first + done) % pair.columns;
    const std::size_t n = std::min(pair.columns - column, values.size() - done);
    const float scale = by_row.empty() ? 1 : by_row[row];
    float* const part = values.data() + done;
    for (std::size_t i = 0; i < n; ++i) {
      part[i] = changed(part[i], scale, by_column.empty() ? 1 : by_column[column + i]);
    }
    done += n;
  }
}

class FoldSearch {
 public:
  FoldSearch(std::span<const TensorPair> pairs, const model::ModelConfig& config, int n_threads,
             Folds& folds)
      : pairs_(pairs), config_(config), n_threads_(n_threads), folds_(folds) {}

  void search(const Producer& row) {
    const TensorPair* const producer = find(row.role);
    if (producer == nullptr) return;
    producer_ = producer;
    bits_ = bits_of(*producer);
    const auto readers = reader_sums(row);
    if (!readers) return;
    if (!producer->is_matrix()) {
      search_norm(row, *readers);
    } else {
      search_rows(row, *readers);
    }
  }

 private:
  const TensorPair* find(TensorRole role) const {
    for (const TensorPair& pair : pairs_) {
      if (pair.key.role == role && !pair.key.is_bias) {
        return pair.result == nullptr ? nullptr : &pair;
      }
    }
    return nullptr;
  }

  /// Of the columns that read the site, or of groups of them that have one scale.
  std::optional<std::vector<ErrorSums>> reader_sums(const Producer& row) {
    std::vector<ErrorSums> all;
    for (const TensorRole role : calibration::site_row(row.site).readers) {
      const TensorPair* const reader = find(role);
      if (reader == nullptr) continue;
      const auto sums = column_sums(sample_rows(*reader));
      if (likeness(sums) < kLeastLikeness) continue;
      bits_ = std::min(bits_, bits_of(*reader));
      all.resize(sums.size());
      for (std::size_t j = 0; j < sums.size(); ++j) all[j].add(sums[j]);
    }
    if (all.empty()) return std::nullopt;
    if (!row.by_kv_heads) return all;
    std::vector<ErrorSums> grouped(producer_->rows);
    for (std::size_t j = 0; j < all.size(); ++j) grouped[kv_channel(j)].add(all[j]);
    return grouped;
  }

  static int bits_of(const TensorPair& pair) {
    return pair.storage.quantized() ? pair.storage.bits : std::numeric_limits<int>::max();
  }

  std::size_t kv_channel(std::size_t j) const {
    const auto head_dim = static_cast<std::size_t>(config_.head_dim);
    const auto per_kv = static_cast<std::size_t>(config_.n_heads / config_.n_kv_heads);
    return j / head_dim / per_kv * head_dim + j % head_dim;
  }

  /// Whether gains have scales, beside what quantization does to them.
  bool is_spread(double spread, double noise) const {
    return spread > std::max(least_spread(bits_), kSpreadSigmas * noise);
  }

  void fail(std::string what, std::string why) const {
    folds_.problems_.push_back({producer_->key, std::move(what), std::move(why)});
  }

  void search_norm(const Producer& row, const std::vector<ErrorSums>& readers) {
    const RowSample norm = sample_rows(*producer_);
    const Gains columns(readers);
    std::vector<double> x(norm.columns), x_error(norm.columns, 1e-9);
    std::size_t n_changed = 0;
    for (std::size_t j = 0; j < norm.columns; ++j) {
      const double ratio = norm.q[j] == norm.w[j] ? 1 : double{norm.w[j]} / double{norm.q[j]};
      if (!(ratio > 0) || !std::isfinite(ratio)) {
        x_error[j] = 0;
        continue;
      }
      x[j] = std::log(ratio);
      n_changed += std::abs(ratio - 1) > producer_->storage.rounding ? 1 : 0;
    }
    const Fit fit(x, x_error, columns.log, columns.error);
    // A few channels alone are no scales; they are found where the norm is compared.
    if (static_cast<double>(n_changed) <= kOddShare * static_cast<double>(x.size())) {
      if (is_spread(fit.spread_y, fit.noise_y)) {
        fail("the columns that read it are multiplied by scales that it is not divided by",
             fmt::format("their gains spread by a factor of {:.2f}", std::exp(fit.spread_y)));
      }
      return;
    }
    const double miss = std::max(kExponentMiss, kSigmas * fit.slope_error);
    if (std::abs(fit.slope - 1) > miss || fit.odd_share > kOddShare) {
      fail("it is not the reference's, nor divided by scales that were folded into it",
           fmt::format("if it was, {}: they have the exponent {:.2f}, and {:.0f} % of the channels "
                       "do not fit",
                       misfit(fit.slope), fit.slope, 100 * fit.odd_share));
      return;
    }
    // A channel that does not fit is left as it is, and found where the norm is compared. Where all
    // codes of a column are near 0, its gain is off by as much as rounding is coarse.
    for (std::size_t j = 0; j < x.size(); ++j) {
      const double away = std::abs(columns.log[j] - x[j] - fit.offset);
      const bool fits =
          away <= std::max({kChannelMiss, kSigmas * columns.error[j], 2 * columns.coarseness[j]});
      if (x_error[j] == 0 || (columns.error[j] != 0 && !fits)) x[j] = 0;
    }
    folds_.folds_.push_back({row.role, row.site, exponentials(x), exponentials(x)});
  }

  void search_rows(const Producer& row, const std::vector<ErrorSums>& readers) {
    const std::vector<ErrorSums> given = row_sums(*producer_, folds_, n_threads_);
    if (likeness(given) < kLeastLikeness) return;
    Gains rows(given);
    const Gains columns(readers);
    for (double& log : rows.log) log = -log;
    const Fit fit(rows.log, rows.error, columns.log, columns.error);
    const bool rows_scaled = is_spread(fit.spread_x, fit.noise_x);
    const bool columns_scaled = is_spread(fit.spread_y, fit.noise_y);
    if (fit.correlation < 0.5) {
      if (rows_scaled) {
        fail("its rows are divided by scales that the columns that read them are not multiplied by",
             fmt::format("their gains spread by a factor of {:.2f}", std::exp(fit.spread_x)));
      } else if (columns_scaled) {
        fail("the columns that read it are multiplied by scales that its rows are not divided by",
             fmt::format("their gains spread by a factor of {:.2f}", std::exp(fit.spread_y)));
      }
      return;
    }
    // Both have noise: the ratio of what is left of the spreads is the exponent.
    const double own_x =
        std::sqrt(std::max(fit.spread_x * fit.spread_x - fit.noise_x * fit.noise_x, 1e-12));
    const double own_y =
        std::sqrt(std::max(fit.spread_y * fit.spread_y - fit.noise_y * fit.noise_y, 1e-12));
    const bool told = std::min(own_x, own_y) > 2 * std::max(fit.noise_x, fit.noise_y);
    if (told && (own_y / own_x < 1 - kExponentMiss || own_y / own_x > 1 / (1 - kExponentMiss))) {
      fail("its rows and the columns that read them have scales that do not undo each other",
           fmt::format("{}: they have the exponent {:.2f}", misfit(own_y / own_x), own_y / own_x));
      return;
    }
    const double product = std::exp(fit.offset);
    if (product < kLeastProduct || product > kMostProduct) {
      fail("its rows and the columns that read them have scales that do not undo each other",
           fmt::format("together they have a gain of {:.2f}", product));
      return;
    }
    add_rows(row, rows, columns);
  }

  /// The scale of a channel is what both sides say, each as far as it is sure.
  void add_rows(const Producer& row, const Gains& rows, const Gains& columns) {
    std::vector<double> logs(rows.log.size());
    for (std::size_t i = 0; i < logs.size(); ++i) {
      if (rows.error[i] == 0 || columns.error[i] == 0) continue;
      logs[i] = (rows.log[i] + columns.log[i]) / 2;
    }
    std::vector<double> of_columns = logs;
    if (row.by_kv_heads) {
      of_columns.resize(static_cast<std::size_t>(
          model::extent_of(calibration::site_row(row.site).width, config_)));
      for (std::size_t j = 0; j < of_columns.size(); ++j) of_columns[j] = logs[kv_channel(j)];
    }
    folds_.folds_.push_back({row.role, row.site, exponentials(logs), exponentials(of_columns)});
  }

  const std::span<const TensorPair> pairs_;
  const model::ModelConfig& config_;
  const int n_threads_;
  Folds& folds_;
  const TensorPair* producer_ = nullptr;
  int bits_ = 0;  // the fewest of what gives and what reads the channels
};

Folds::Folds(std::span<const TensorPair> pairs, const model::ModelConfig& config, int n_threads) {
  FoldSearch search(pairs, config, n_threads, *this);
  for (const Producer& row : kProducers) {
    try {
      search.search(row);
    } catch (const base::ValidationError&) {
      // Values that cannot be read say nothing of scales; the comparison says what is wrong.
    }
  }
}

std::span<const float> Folds::rows(const WeightKey& key) const {
  const auto found = std::ranges::find(folds_, key.role, &Fold::producer);
  return found == folds_.end() ? std::span<const float>() : found->rows;
}

std::span<const float> Folds::columns(const WeightKey& key) const {
  const calibration::SiteRow* const site = calibration::site_of(key.role);
  if (site == nullptr || key.is_bias) return {};
  const auto found = std::ranges::find(folds_, site->site, &Fold::site);
  return found == folds_.end() ? std::span<const float>() : found->columns;
}

void Folds::apply(const TensorPair& pair, std::size_t first, std::span<float> values) const {
  change(pair, first, values,
         [](float value, float row, float column) { return value / row * column; });
}

void Folds::undo(const TensorPair& pair, std::size_t first, std::span<float> values) const {
  change(pair, first, values,
         [](float value, float row, float column) { return value * row / column; });
}

bool Folds::touches(const WeightKey& key) const {
  return !rows(key).empty() || !columns(key).empty();
}

}  // namespace lq::fidelity

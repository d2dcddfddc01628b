#pragma once
// What benches of one layer share: a clock, and the values that its linear layers read.

#include <cmath>
#include <cstddef>
#include <ctime>
#include <random>
#include <vector>

namespace lq::bench {

/// Of all threads since the program began.
inline double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Values of tokens, the same in every run. Channels are of different sizes, and each is a mixture of
/// its own noise and of a value of the token that all share.
class DependentChannels {
 public:
  explicit DependentChannels(std::size_t n_channels)
      : size_(n_channels), shared_(n_channels), values_(n_channels) {
    for (std::size_t i = 0; i < n_channels; ++i) {
      size_[i] = std::exp(normal_(random_));
      shared_[i] = normal_(random_);
    }
  }

  /// Of the next token, until it is called again.
  const std::vector<float>& next() {
    const float of_token = normal_(random_);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      values_[i] = size_[i] * (normal_(random_) + 0.5F * of_token * shared_[i]);
    }
    return values_;
  }

 private:
  std::mt19937 random_;
  std::normal_distribution<float> normal_;
  std::vector<float> size_, shared_, values_;
};

}  // namespace lq::bench

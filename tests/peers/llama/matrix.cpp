#include "tests/peers/llama/matrix.h"

#include <bit>
#include <cmath>
#include <numbers>

namespace peer {
namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 0xD1B54A32D192ED03u) {
    if (state_ == 0) state_ = 1;
  }
  double uniform() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1p-53; }
  double gauss() {
    const double u = uniform(), v = uniform();
    return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
  }

 private:
  std::uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1Du;
  }
  std::uint64_t state_;
};

float round_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000u);
}

double draw(Random& random, const std::string& distribution) {
  const double gauss = random.gauss();
  if (distribution == "t4") {
    double squares = 0;
    for (int i = 0; i < 4; ++i) {
      const double part = random.gauss();
      squares += part * part;
    }
    return gauss / std::sqrt(squares / 4);
  }
  if (distribution == "laplace") {
    const double u = random.uniform() - 0.5;
    return (u < 0 ? 1 : -1) * std::log(1 - 2 * std::abs(u)) / std::numbers::sqrt2;
  }
  return gauss;
}

}  // namespace

std::vector<float> make_matrix(std::size_t count, std::uint64_t seed,
                               const std::string& distribution) {
  Random random(seed);
  std::vector<float> values(count);
  for (float& value : values) {
    value = round_to_bf16(static_cast<float>(0.02 * draw(random, distribution)));
  }
  return values;
}

std::vector<float> make_weights(std::size_t columns, std::uint64_t seed) {
  Random random(seed + 77);
  std::vector<float> weights(columns);
  for (float& weight : weights) weight = static_cast<float>(std::exp(random.gauss()));
  return weights;
}

}  // namespace peer

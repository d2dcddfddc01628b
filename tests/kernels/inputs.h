#pragma once
// Rows on which kernels are compared: ordinary ones and those that break searches.

#include <cmath>
#include <random>
#include <string>
#include <vector>

namespace lq::testing {

struct NamedRow {
  std::string name;
  std::vector<float> values;
};

/// Rows of `n` values, `n` at least 256.
inline std::vector<NamedRow> difficult_rows(std::size_t n) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::student_t_distribution<float> heavy(4.0F);
  std::vector<NamedRow> rows;
  const auto add = [&](const char* name, auto&& value_at) {
    std::vector<float> values(n);
    for (std::size_t i = 0; i < n; ++i) values[i] = value_at(i);
    rows.push_back({name, std::move(values)});
  };
  add("zeros", [](std::size_t) { return 0.0F; });
  add("negative zeros", [](std::size_t) { return -0.0F; });
  add("flat", [](std::size_t) { return 0.25F; });
  add("flat negative", [](std::size_t) { return -0.25F; });
  add("one outlier", [&](std::size_t i) { return i == 77 ? 1000.0F : 0.01F * normal(random); });
  add("ramp", [](std::size_t i) { return static_cast<float>(i) - 100.0F; });
  add("normal", [&](std::size_t) { return 0.02F * normal(random); });
  add("heavy tails", [&](std::size_t) { return 0.02F * heavy(random); });
  add("denormals", [&](std::size_t) { return 1e-40F * normal(random); });
  add("below float16", [&](std::size_t) { return 1e-9F * normal(random); });
  add("large", [&](std::size_t i) { return i % 2 == 0 ? 2e5F : -2e5F; });
  add("ties", [](std::size_t i) { return static_cast<float>(i % 9) * 0.5F - 2.0F; });
  add("a silent half", [&](std::size_t i) { return i < n / 2 ? 0.0F : normal(random); });
  return rows;
}

}  // namespace lq::testing

#pragma once
// Random matrices and the definition of their product.

#include <cstddef>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include "common/linalg/matrix.h"

namespace lq::linalg {

inline std::vector<float> random_values(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& value : values) value = normal(random);
  return values;
}

inline Matrix matrix_of(const std::vector<float>& values, std::size_t columns, Compute compute) {
  Matrix matrix(values.size() / columns, columns, compute);
  matrix.set(0, 0, values);
  return matrix;
}

/// The values as the matrix holds them, row after row.
inline std::vector<float> values_of(const Matrix& matrix) {
  std::vector<float> values(matrix.rows() * matrix.columns());
  for (std::size_t row = 0; row < matrix.rows(); ++row) {
    matrix.get(row, 0, std::span(values).subspan(row * matrix.columns(), matrix.columns()));
  }
  return values;
}

/// a b^T in float64 over the values as the matrices hold them.
inline std::vector<double> product_of(const Matrix& a, const Matrix& b) {
  const std::vector<float> x = values_of(a), w = values_of(b);
  const std::size_t n = a.columns();
  std::vector<double> c(a.rows() * b.rows());
  for (std::size_t i = 0; i < a.rows(); ++i) {
    for (std::size_t j = 0; j < b.rows(); ++j) {
      for (std::size_t k = 0; k < n; ++k) {
        c[i * b.rows() + j] += double{x[i * n + k]} * double{w[j * n + k]};
      }
    }
  }
  return c;
}

inline Matrix transpose_of(const Matrix& x) {
  const std::vector<float> values = values_of(x);
  std::vector<float> across(values.size());
  for (std::size_t row = 0; row < x.rows(); ++row) {
    for (std::size_t column = 0; column < x.columns(); ++column) {
      across[column * x.rows() + row] = values[row * x.columns() + column];
    }
  }
  return matrix_of(across, x.rows(), x.compute());
}

inline std::string name_of(const ::testing::TestParamInfo<Compute>& compute) {
  switch (compute.param) {
    case Compute::kReference:
      return "Reference";
    case Compute::kF32:
      return "F32";
    default:
      return "Bf16";
  }
}

}  // namespace lq::linalg

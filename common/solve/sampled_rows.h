#pragma once
// Rows of a matrix that stand for all.

#include <cstddef>
#include <vector>

namespace lq::solve {

/// All of few rows, or `n` of them, one from each of as many equal parts, none at equal distances
/// (heads have rows that repeat).
std::vector<std::size_t> sampled_rows(std::size_t rows, std::size_t n);

}  // namespace lq::solve

#pragma once
// The fixed pseudo-random matrix that encoders are compared on (xorshift64*, Box-Muller), so that
// any program can make the same one. Values are rounded to BF16, as the weights of a checkpoint
// are.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace peer {

/// `distribution`: "gauss", "t4" (Student, four degrees of freedom) or "laplace"; standard
/// deviation about 0.02.
std::vector<float> make_matrix(std::size_t count, std::uint64_t seed,
                               const std::string& distribution);
/// Log-normal importance per column.
std::vector<float> make_weights(std::size_t columns, std::uint64_t seed);

}  // namespace peer

#pragma once
// oneDNN's own rate: its matmul on whole matrices, weights in the layout that it asks for, threads
// of its own. No code of the product is used.

#include <cstddef>
#include <memory>
#include <vector>

namespace lq::bench {

struct ProductShape {
  std::size_t rows = 0, columns = 0, terms = 0;

  double flops() const {
    return 2.0 * static_cast<double>(rows) * static_cast<double>(columns) *
           static_cast<double>(terms);
  }
};

/// BF16 products with float32 sums, ready to run one after the other.
class PlainProducts {
 public:
  /// `bf16_result`: what the products write; float32 otherwise.
  PlainProducts(const std::vector<ProductShape>& shapes, int n_threads, bool bf16_result);
  ~PlainProducts();

  void run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lq::bench

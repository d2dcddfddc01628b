#include "bench/forward/plain_products.h"

#include <cstdint>
#include <omp.h>
#include <oneapi/dnnl/dnnl.hpp>

namespace lq::bench {
namespace {

using dnnl::memory;

struct Product {
  dnnl::matmul run;
  memory a, b, c;
};

/// Memory of bfloat16 values of magnitude 1 to 2 and either sign.
memory filled(const memory::desc& desc, const dnnl::engine& engine) {
  memory values(desc, engine);
  auto* const words = static_cast<std::uint16_t*>(values.get_data_handle());
  const std::size_t n = desc.get_size() / sizeof(std::uint16_t);
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < n; ++i) {
    state = state * 1664525U + 1013904223U;
    words[i] = static_cast<std::uint16_t>(0x3F80U | (state >> 25) | ((state >> 8) & 0x8000U));
  }
  return values;
}

}  // namespace

struct PlainProducts::State {
  int n_threads = 1;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  std::vector<Product> products;
};

PlainProducts::PlainProducts(const std::vector<ProductShape>& shapes, int n_threads,
                             bool bf16_result)
    : state_(std::make_unique<State>()) {
  state_->n_threads = n_threads;
  omp_set_num_threads(n_threads);
  const auto bf16 = memory::data_type::bf16;
  const auto result = bf16_result ? bf16 : memory::data_type::f32;
  const auto dim = [](std::size_t n) { return static_cast<memory::dim>(n); };
  for (const ProductShape& shape : shapes) {
    const memory::dim m = dim(shape.rows), n = dim(shape.columns), k = dim(shape.terms);
    const dnnl::matmul::desc wanted({{m, k}, bf16, memory::format_tag::ab},
                                    {{k, n}, bf16, memory::format_tag::any},
                                    {{m, n}, result, memory::format_tag::ab});
    const dnnl::matmul::primitive_desc desc(wanted, state_->engine);
    state_->products.push_back({dnnl::matmul(desc), filled(desc.src_desc(), state_->engine),
                                filled(desc.weights_desc(), state_->engine),
                                memory(desc.dst_desc(), state_->engine)});
  }
}

PlainProducts::~PlainProducts() = default;

void PlainProducts::run() {
  omp_set_num_threads(state_->n_threads);
  for (Product& product : state_->products) {
    product.run.execute(
        state_->stream,
        {{DNNL_ARG_SRC, product.a}, {DNNL_ARG_WEIGHTS, product.b}, {DNNL_ARG_DST, product.c}});
  }
  state_->stream.wait();
}

}  // namespace lq::bench

#include "common/linalg/onednn.h"

#include <cassert>
#include <fmt/format.h>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <span>
#include <tuple>
#include <vector>

#include "common/kernels/convert.h"

namespace lq::linalg::onednn {
namespace {

using dnnl::memory;

const dnnl::engine& engine() {
  static const dnnl::engine kEngine(dnnl::engine::kind::cpu, 0);
  return kEngine;
}

memory::data_type type_of(Compute compute) {
  return compute == Compute::kBf16 ? memory::data_type::bf16 : memory::data_type::f32;
}

memory::dim dim(std::size_t n) { return static_cast<memory::dim>(n); }

/// [rows, columns] with `stride` elements between rows.
memory::desc rows_of(std::size_t rows, std::size_t columns, std::size_t stride,
                     memory::data_type type) {
  return {{dim(rows), dim(columns)}, type, {dim(stride), 1}};
}
/// Its transpose.
memory::desc columns_of(std::size_t rows, std::size_t columns, std::size_t stride,
                        memory::data_type type) {
  return {{dim(columns), dim(rows)}, type, {1, dim(stride)}};
}

/// A product of one shape, ready to run. The library keeps its scratch memory per thread, so each
/// thread has products of its own.
struct Product {
  dnnl::matmul::primitive_desc desc;
  dnnl::matmul run;
};

using Shape = std::tuple<std::size_t, std::size_t, std::size_t, std::size_t, std::size_t,
                         std::size_t, Compute, Into>;

Product make_product(const Factor& a, const Factor& b, Compute compute, std::size_t c_stride,
                     Into into) {
  dnnl::primitive_attr attributes;
  if (into == Into::kAdd) {
    dnnl::post_ops add;
    add.append_sum();
    attributes.set_post_ops(add);
  }
  const auto type = type_of(compute);
  const dnnl::matmul::desc wanted(rows_of(a.rows, a.columns, a.stride, type),
                                  columns_of(b.rows, b.columns, b.stride, type),
                                  rows_of(a.rows, b.rows, c_stride, memory::data_type::f32));
  const dnnl::matmul::primitive_desc desc(wanted, attributes, engine());
  return {desc, dnnl::matmul(desc)};
}

const Product& product_of(const Factor& a, const Factor& b, Compute compute, std::size_t c_stride,
                          Into into) {
  thread_local std::map<Shape, Product> products;
  const Shape shape(a.rows, b.rows, a.columns, a.stride, b.stride, c_stride, compute, into);
  const auto found = products.find(shape);
  if (found != products.end()) return found->second;
  constexpr std::size_t kMost = 4096;
  if (products.size() >= kMost) products.clear();
  return products.emplace(shape, make_product(a, b, compute, c_stride, into)).first->second;
}

memory view(const memory::desc& desc, const void* data) {
  return {desc, engine(), const_cast<void*>(data)};  // inputs are taken so, too
}

bool has_bf16_products() {
  static const bool kHas = [] {
    try {
      make_product({nullptr, 1, 1, 1}, {nullptr, 1, 1, 1}, Compute::kBf16, 1, Into::kReplace);
      return true;
    } catch (const dnnl::error&) {
      return false;
    }
  }();
  return kHas;
}

/// The same factor in float32, without gaps.
Factor widened(const Factor& factor, std::vector<float>& values) {
  values.resize(factor.rows * factor.columns);
  for (std::size_t row = 0; row < factor.rows; ++row) {
    kernels::widen_to_f32(tensor::DType::kBF16,
                          {factor.data + 2 * row * factor.stride, 2 * factor.columns},
                          std::span(values).subspan(row * factor.columns, factor.columns));
  }
  return {reinterpret_cast<const std::byte*>(values.data()), factor.rows, factor.columns,
          factor.columns};
}

}  // namespace

void multiply(const Factor& a, const Factor& b, Compute compute, float* c, std::size_t c_stride,
              Into into) {
  if (compute == Compute::kBf16 && !has_bf16_products()) {
    thread_local std::vector<float> left, right;
    multiply(widened(a, left), widened(b, right), Compute::kF32, c, c_stride, into);
    return;
  }
  assert(a.columns == b.columns && compute != Compute::kReference);
  thread_local dnnl::stream stream(engine());
  const Product& product = product_of(a, b, compute, c_stride, into);
  product.run.execute(stream, {{DNNL_ARG_SRC, view(product.desc.src_desc(), a.data)},
                               {DNNL_ARG_WEIGHTS, view(product.desc.weights_desc(), b.data)},
                               {DNNL_ARG_DST, view(product.desc.dst_desc(), c)}});
  stream.wait();
}

std::string description() {
  const dnnl_version_t* const version = dnnl_version();
  const auto isa = [] {
    switch (dnnl::get_effective_cpu_isa()) {
      case dnnl::cpu_isa::sse41:
        return "sse41";
      case dnnl::cpu_isa::avx:
        return "avx";
      case dnnl::cpu_isa::avx2:
        return "avx2";
      case dnnl::cpu_isa::avx2_vnni:
        return "avx2_vnni";
      case dnnl::cpu_isa::avx512_core:
        return "avx512_core";
      case dnnl::cpu_isa::avx512_core_vnni:
        return "avx512_core_vnni";
      case dnnl::cpu_isa::avx512_core_bf16:
        return "avx512_core_bf16";
      case dnnl::cpu_isa::avx512_core_amx:
        return "avx512_core_amx";
      default:
        return "other";
    }
  }();
  return fmt::format("{}.{}.{} {}", version->major, version->minor, version->patch, isa);
}

}  // namespace lq::linalg::onednn

#include "common/linalg/onednn.h"

#include <cassert>
#include <fmt/format.h>
#include <map>
#include <mutex>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>
#include <span>
#include <tuple>
#include <vector>

#include "common/base/errors.h"
#include "common/kernels/convert.h"

namespace lq::linalg::onednn {
namespace {

using dnnl::memory;

// The left factor's rows for which the packed order is asked of the library.
constexpr std::size_t kUsualRows = 256;

const dnnl::engine& engine() {
  static const dnnl::engine kEngine(dnnl::engine::kind::cpu, 0);
  return kEngine;
}

dnnl::stream& stream() {
  thread_local dnnl::stream own(engine());
  return own;
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

dnnl::matmul::primitive_desc describe(const memory::desc& a, const memory::desc& b,
                                      const memory::desc& c, Into into) {
  dnnl::primitive_attr attributes;
  if (into == Into::kAdd) {
    dnnl::post_ops add;
    add.append_sum();
    attributes.set_post_ops(add);
  }
  return {dnnl::matmul::desc(a, b, c), attributes, engine()};
}

/// What `call` returns; the library's failures as ours.
template <class Call>
auto translated(Call call) {
  try {
    return call();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    throw base::ConversionError(
        "cannot multiply matrices",
        fmt::format("oneDNN failed with status {}: {}", static_cast<int>(error.status),
                    error.what()),
        "try another instruction set, such as ONEDNN_MAX_CPU_ISA=AVX2, and report it");
  }
}

/// Whether the processor multiplies bfloat16 itself: the library's substitute for that has a third of
/// the rate of its float32 products.
bool has_bf16_products() {
  static const bool kHas = [] {
    const auto of_bf16 = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
    return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & of_bf16) == of_bf16;
  }();
  return kHas;
}

bool widens(Compute compute) { return compute == Compute::kBf16 && !has_bf16_products(); }

/// The packed order of b [n, k]: the first answer of the library stands for the whole process.
const memory::desc& packed_desc(std::size_t n, std::size_t k, Compute compute) {
  static std::mutex mutex;
  static std::map<std::tuple<std::size_t, std::size_t, Compute>, memory::desc> known;
  const std::lock_guard lock(mutex);
  const std::tuple key(n, k, compute);
  const auto found = known.find(key);
  if (found != known.end()) return found->second;
  const auto type = type_of(compute);
  memory::desc desc = rows_of(k, n, n, type);
  if (!widens(compute)) {
    const memory::desc any({dim(k), dim(n)}, type, memory::format_tag::any);
    desc = describe(rows_of(kUsualRows, k, k, type), any,
                    rows_of(kUsualRows, n, n, memory::data_type::f32), Into::kReplace)
               .weights_desc();
  }
  return known.emplace(key, desc).first->second;
}

memory::desc right_desc(const Factor& b, Right right, Compute compute) {
  if (right == Right::kPacked) return packed_desc(b.rows, b.columns, compute);
  return right == Right::kRows ? columns_of(b.rows, b.columns, b.stride, type_of(compute))
                               : rows_of(b.rows, b.columns, b.stride, type_of(compute));
}

/// A product of one shape, ready to run. The library keeps its scratch memory per thread, so each
/// thread has products of its own.
struct Product {
  dnnl::matmul::primitive_desc desc;
  dnnl::matmul run;
};

using Shape = std::tuple<std::size_t, std::size_t, std::size_t, std::size_t, std::size_t,
                         std::size_t, Right, Compute, Into>;

Product make_product(const Factor& a, const Factor& b, Right right, Compute compute,
                     std::size_t c_stride, Into into) {
  const std::size_t n = right == Right::kColumns ? b.columns : b.rows;
  const auto desc = describe(rows_of(a.rows, a.columns, a.stride, type_of(compute)),
                             right_desc(b, right, compute),
                             rows_of(a.rows, n, c_stride, memory::data_type::f32), into);
  return {desc, dnnl::matmul(desc)};
}

const Product& product_of(const Factor& a, const Factor& b, Right right, Compute compute,
                          std::size_t c_stride, Into into) {
  thread_local std::map<Shape, Product> products;
  const Shape shape(a.rows, a.stride, b.rows, b.columns, b.stride, c_stride, right, compute, into);
  const auto found = products.find(shape);
  if (found != products.end()) return found->second;
  constexpr std::size_t kMost = 4096;
  if (products.size() >= kMost) products.clear();
  return products.emplace(shape, make_product(a, b, right, compute, c_stride, into)).first->second;
}

memory view(const memory::desc& desc, const void* data) {
  return {desc, engine(), const_cast<void*>(data)};  // inputs are taken so, too
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

void multiply(const Factor& a, const Factor& b, Right right, Compute compute, float* c,
              std::size_t c_stride, Into into) {
  assert(compute != Compute::kReference);
  assert(a.columns == (right == Right::kColumns ? b.rows : b.columns));
  if (widens(compute)) {
    thread_local std::vector<float> left, other;
    const bool packed = right == Right::kPacked;  // [k, n] without gaps
    const Factor wide = widened(packed ? Factor{b.data, b.columns, b.rows, b.rows} : b, other);
    multiply(widened(a, left), wide, packed ? Right::kColumns : right, Compute::kF32, c, c_stride,
             into);
    return;
  }
  translated([&] {
    const Product& product = product_of(a, b, right, compute, c_stride, into);
    product.run.execute(stream(), {{DNNL_ARG_SRC, view(product.desc.src_desc(), a.data)},
                                   {DNNL_ARG_WEIGHTS, view(product.desc.weights_desc(), b.data)},
                                   {DNNL_ARG_DST, view(product.desc.dst_desc(), c)}});
    stream().wait();
  });
}

std::size_t scratch_bytes(std::size_t rows, std::size_t n, std::size_t k, Compute compute) {
  constexpr std::size_t kLibrary = 4U << 20U;
  return kLibrary + (widens(compute) ? (rows + n) * k * sizeof(float) : 0);
}

std::size_t packed_bytes(std::size_t n, std::size_t k, Compute compute) {
  return translated([&] { return packed_desc(n, k, compute).get_size(); });
}

void pack(const Factor& b_transposed, Compute compute, std::byte* packed) {
  translated([&] {
    memory from = view(
        rows_of(b_transposed.rows, b_transposed.columns, b_transposed.stride, type_of(compute)),
        b_transposed.data);
    memory to = view(packed_desc(b_transposed.columns, b_transposed.rows, compute), packed);
    dnnl::reorder(from, to).execute(stream(), from, to);
    stream().wait();
  });
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

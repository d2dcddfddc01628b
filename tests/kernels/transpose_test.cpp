#include "common/kernels/transpose.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <numeric>
#include <tuple>
#include <vector>

#include "common/kernels/transpose_detail.h"
#include "tests/kernels/targets.h"

namespace lq::kernels {
namespace {

/// All elements differ; both sides have a gap behind each row, which stays as it was.
template <class Element>
void expect_transposed(std::size_t n_rows, std::size_t n_columns, bool reference) {
  const std::size_t stride = n_columns + 3, out_stride = n_rows + 5;
  std::vector<Element> x(n_rows * stride), out(n_columns * out_stride, Element{0x5555});
  std::iota(x.begin(), x.end(), Element{1});
  (reference ? detail::transpose_reference : transpose)(
      reinterpret_cast<const std::byte*>(x.data()), sizeof(Element), n_rows, n_columns,
      stride * sizeof(Element), reinterpret_cast<std::byte*>(out.data()),
      out_stride * sizeof(Element));
  for (std::size_t column = 0; column < n_columns; ++column) {
    for (std::size_t row = 0; row < out_stride; ++row) {
      const Element wanted = row < n_rows ? x[row * stride + column] : Element{0x5555};
      ASSERT_EQ(out[column * out_stride + row], wanted) << row << ' ' << column;
    }
  }
}

TEST(Transpose, MovesEveryElement) {
  for (const auto& [n_rows, n_columns] :
       {std::tuple<std::size_t, std::size_t>{1, 1}, {3, 40}, {32, 32}, {33, 70}, {100, 16}}) {
    expect_transposed<std::uint16_t>(n_rows, n_columns, true);
    expect_transposed<std::uint32_t>(n_rows, n_columns, true);
    testing::on_every_target([&] {
      expect_transposed<std::uint16_t>(n_rows, n_columns, false);
      expect_transposed<std::uint32_t>(n_rows, n_columns, false);
    });
  }
}

}  // namespace
}  // namespace lq::kernels

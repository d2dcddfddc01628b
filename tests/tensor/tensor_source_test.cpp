#include "common/tensor/tensor_source.h"

#include <gtest/gtest.h>

namespace lq::tensor {
namespace {

class ListedTensors : public TensorSource {
 public:
  std::span<const TensorInfo> tensors() const override { return tensors_; }
  std::span<const std::filesystem::path> files() const override { return {}; }
  void read(const TensorInfo&, std::uint64_t, std::span<std::byte>) const override {}
  std::uint64_t bytes_read() const override { return 0; }

 private:
  std::vector<TensorInfo> tensors_{{.name = "a.weight", .dtype = DType::kF32, .shape = {2}},
                                   {.name = "b.weight", .dtype = DType::kF16, .shape = {}}};
};

TEST(TensorSource, FindsATensorByItsWholeName) {
  const ListedTensors source;
  ASSERT_NE(source.find("b.weight"), nullptr);
  EXPECT_EQ(source.find("b.weight")->dtype, DType::kF16);
  EXPECT_EQ(source.find("b"), nullptr);
  EXPECT_EQ(source.find(""), nullptr);
}

}  // namespace
}  // namespace lq::tensor

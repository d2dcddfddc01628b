#include "common/model/gguf_rows.h"

#include <gtest/gtest.h>
#include <vector>

namespace lq::model {
namespace {

TEST(GgufRows, AreInterleavedHeadByHead) {
  std::vector<std::uint64_t> rows;
  for (std::uint64_t row = 0; row < 12; ++row) rows.push_back(checkpoint_row(row, 12, 2));
  EXPECT_EQ(rows, (std::vector<std::uint64_t>{0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11}));
}

TEST(GgufRows, AreFoundAgain) {
  for (std::uint64_t row = 0; row < 96; ++row) {
    EXPECT_EQ(gguf_row(checkpoint_row(row, 96, 3), 96, 3), row);
    EXPECT_EQ(checkpoint_row(gguf_row(row, 96, 3), 96, 3), row);
  }
}

TEST(GgufRows, AreInterleavedOnlyInQueriesAndKeysOfLlama) {
  ModelConfig config;
  config.n_heads = 8;
  config.n_kv_heads = 2;
  for (const Architecture* architecture : architectures()) {
    for (const TensorRow& row : architecture->tensors) {
      int heads = 0;
      if (architecture->name == "llama" && row.role == TensorRole::kAttnQ) heads = 8;
      if (architecture->name == "llama" && row.role == TensorRole::kAttnK) heads = 2;
      EXPECT_EQ(interleaved_heads(row, config), heads) << architecture->name << ": " << row.gguf;
    }
  }
}

TEST(GgufRows, HaveTheNamesOfTheTable) {
  for (const TensorRow& row : architectures().front()->tensors) {
    if (row.role == TensorRole::kAttnQ) {
      EXPECT_EQ(gguf_name(row, 12, false), "blk.12.attn_q.weight");
      EXPECT_EQ(gguf_name(row, 12, true), "blk.12.attn_q.bias");
    }
    if (row.role == TensorRole::kOutputNorm) {
      EXPECT_EQ(gguf_name(row, -1, false), "output_norm.weight");
    }
  }
}

}  // namespace
}  // namespace lq::model

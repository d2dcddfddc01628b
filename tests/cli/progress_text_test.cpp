#include <algorithm>
#include <gtest/gtest.h>

#include "common/cli/progress.h"

namespace lq::cli {
namespace {

ProgressNumbers half_way() {
  ProgressNumbers numbers;
  numbers.units_done = 87;
  numbers.units = 291;
  numbers.layer = 11;
  numbers.layers = 30;
  numbers.amount_done = 1ULL << 30U;
  numbers.amount = 2ULL << 30U;
  numbers.amount_per_second = 300.0 * 1024 * 1024;
  numbers.seconds_left = 42;
  numbers.memory_used = 1ULL << 28U;
  numbers.memory_limit = 8ULL << 30U;
  return numbers;
}

TEST(BarText, ShowsEverythingWhereThereIsSpace) {
  EXPECT_EQ(bar_text("lq-toy", half_way(), 160),
            "lq-toy  87/291 [==============>               ]  50%  layer 12/30  1.00/2.00 GiB  "
            "300 MiB/s  42.0 s left  mem 0.25/8.00 GiB");
}

TEST(BarText, DropsTheLeastImportantPartsFirst) {
  EXPECT_EQ(bar_text("lq-toy", half_way(), 80),
            "87/291  layer 12/30  1.00/2.00 GiB  300 MiB/s  42.0 s left  mem 0.25/8.00 GiB");
  EXPECT_EQ(bar_text("lq-toy", half_way(), 44), "87/291  layer 12/30  300 MiB/s  42.0 s left");
  EXPECT_EQ(bar_text("lq-toy", half_way(), 43), "87/291 [===>     ]  300 MiB/s  42.0 s left");
  EXPECT_EQ(bar_text("lq-toy", half_way(), 10), "87/291");
  EXPECT_EQ(bar_text("lq-toy", half_way(), 4), "87/");
}

TEST(BarText, KeepsThreeDigitsOfEveryNumber) {
  ProgressNumbers numbers = half_way();
  numbers.amount_done = 512;
  numbers.amount = 1000;
  numbers.amount_per_second = 1010;
  EXPECT_NE(bar_text("lq-toy", numbers, 200).find("  0.50/0.98 KiB  0.99 KiB/s  "),
            std::string::npos)
      << bar_text("lq-toy", numbers, 200);
}

ProgressNumbers half_way_in_tokens() {
  ProgressNumbers numbers = half_way();
  numbers.measure = stage::Measure::kTokens;
  numbers.layers_to_do = 20;
  numbers.amount = 20 * 32768;
  numbers.amount_done = 10 * 32768;
  numbers.amount_per_second = 30 * 450;
  return numbers;
}

TEST(BarText, OfAPlanThatCountsTokensTellsThoseThatPassAllLayers) {
  EXPECT_EQ(bar_text("lq-toy", half_way_in_tokens(), 160),
            "lq-toy  87/291 [==============>               ]  50%  layer 12/30  32768 tokens  "
            "450 tokens/s  42.0 s left  mem 0.25/8.00 GiB");
}

TEST(LineText, OfAPlanThatCountsTokensTellsThoseThatPassAllLayers) {
  EXPECT_EQ(line_text(half_way_in_tokens()),
            "87 of 291 units, layer 12 of 30, 450 tokens/s, 42.0 s left, memory 256.00 MiB of "
            "8.00 GiB");
  EXPECT_EQ(start_text(half_way_in_tokens()), "204 units, 32768 tokens, 87 units kept");
}

TEST(BarText, FitsEveryWidth) {
  for (int columns = 1; columns < 200; ++columns) {
    EXPECT_LE(bar_text("lq-toy", half_way(), columns).size(),
              static_cast<std::size_t>(std::max(columns - 1, 1)));
  }
}

TEST(BarText, LeavesOutWhatIsNotKnown) {
  ProgressNumbers numbers;
  numbers.units = 3;
  const std::string text = bar_text("lq-toy", numbers, 200);
  EXPECT_EQ(text.find("layer"), std::string::npos);
  EXPECT_EQ(text.find("left"), std::string::npos);
}

TEST(LineText, IsComplete) {
  EXPECT_EQ(line_text(half_way()),
            "87 of 291 units, layer 12 of 30, 1.00 GiB of 2.00 GiB, 300.00 MiB/s, 42.0 s left, "
            "memory 256.00 MiB of 8.00 GiB");
}

TEST(LayerOf, ReadsTheNumberInAUnitsName) {
  EXPECT_EQ(layer_of("blk.3.ffn_down.weight[0:4096]"), 3);
  EXPECT_EQ(layer_of("model.layers.17.mlp"), 17);
  EXPECT_EQ(layer_of("token_embd.weight"), -1);
  EXPECT_EQ(layer_of("blk.x"), -1);
}

}  // namespace
}  // namespace lq::cli

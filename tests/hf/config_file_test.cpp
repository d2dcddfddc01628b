#include "common/hf/config_file.h"

#include <gtest/gtest.h>

#include "tests/support/scratch.h"

namespace lq::hf {
namespace {

using tensor::DType;
using testing::error_of;

const nlohmann::ordered_json kQuantization = {{"bits", 4}};

TEST(ConfigFile, KeepsTheOrderAndSaysTheTypeThatIsStored) {
  EXPECT_EQ(config_text(R"({"z": 1e-05, "torch_dtype": "float32", "a": [10000.0, "\u00e9"]})", "c",
                        kQuantization, DType::kBF16),
            "{\n  \"z\": 1e-05,\n  \"torch_dtype\": \"bfloat16\",\n  \"a\": [\n    10000.0,\n"
            "    \"\xC3\xA9\"\n  ],\n  \"quantization_config\": {\n    \"bits\": 4\n  }\n}\n");
}

TEST(ConfigFile, SetsTheTypeInBothSpellingsAndInTheTextModel) {
  const auto config = nlohmann::json::parse(config_text(
      R"({"dtype": "float32", "text_config": {"dtype": "float32", "torch_dtype": "float32"},
          "vision_config": {"dtype": "float32"}})",
      "c", kQuantization, DType::kF16));
  EXPECT_EQ(config["torch_dtype"], "float16");
  EXPECT_EQ(config["dtype"], "float16");
  EXPECT_EQ(config["text_config"]["dtype"], "float16");
  EXPECT_EQ(config["text_config"]["torch_dtype"], "float16");
  EXPECT_FALSE(config["text_config"].contains("quantization_config"));
  EXPECT_EQ(config["vision_config"]["dtype"], "float32");
}

TEST(ConfigFile, DoesNotAddTheOtherSpelling) {
  const auto config = nlohmann::json::parse(
      config_text(R"({"text_config": {"a": 1}})", "c", kQuantization, DType::kBF16));
  EXPECT_EQ(config["torch_dtype"], "bfloat16");
  EXPECT_FALSE(config.contains("dtype"));
  EXPECT_EQ(config["text_config"].size(), 1U);
}

TEST(ConfigFile, RefusesATextThatIsNoObject) {
  auto error = error_of<base::ValidationError>(
      [] { config_text("[1]", "dir/config.json", kQuantization, DType::kBF16); });
  EXPECT_STREQ(error.what(), "cannot write a config.json after dir/config.json");
  EXPECT_EQ(error.why(), "it is no JSON object");
  EXPECT_EQ(error.fix(), "fetch the model again");
  error =
      error_of<base::ValidationError>([] { config_text("{", "c", kQuantization, DType::kBF16); });
  EXPECT_EQ(error.why(), "it is not valid JSON at byte 2");
  const std::string deep = "{\"a\":" + std::string(2000, '[') + std::string(2000, ']') + "}";
  error =
      error_of<base::ValidationError>([&] { config_text(deep, "c", kQuantization, DType::kBF16); });
  EXPECT_EQ(error.why(), "it is nested more than 100 deep");
}

}  // namespace
}  // namespace lq::hf

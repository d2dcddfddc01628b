#include "common/fidelity/configuration.h"

#include "tests/subject/gguf_files.h"

namespace lq::testing {
namespace {

using base::Weight;
using gguf::Value;

std::string text_of(const base::Findings& findings) {
  std::string all;
  for (const base::Finding& one : findings) {
    all += (one.weight == Weight::kRemark ? "remark " : "") + one.check + ": " + one.what + "; " +
           one.why + "\n";
  }
  return all;
}

class ConfigurationOfAGguf : public ::testing::Test {
 protected:
  std::string with(const std::string& key, Value value) {
    gguf_.file.metadata.set(key, std::move(value));
    return found();
  }
  std::string found() const {
    return text_of(
        fidelity::configuration_findings(fidelity::Models(gguf_.checkpoint.dir, gguf_.write())));
  }

  RandomGguf gguf_{"LlamaForCausalLM"};
};

TEST_F(ConfigurationOfAGguf, IsWhatTheConverterDerives) { EXPECT_EQ(found(), ""); }

TEST_F(ConfigurationOfAGguf, TakesAnyTypeOfWholeNumber) {
  EXPECT_EQ(with("llama.context_length", std::uint64_t{512}), "");
}

TEST_F(ConfigurationOfAGguf, NamesAnotherValue) {
  EXPECT_EQ(with("llama.rope.freq_base", 500000.0F),
            "configuration: llama.rope.freq_base is not that of the reference; it is 500000, the "
            "reference implies 10000\n");
}

TEST_F(ConfigurationOfAGguf, NamesAnotherToken) {
  auto tokens = *gguf_.file.metadata.get<std::vector<std::string>>("tokenizer.ggml.tokens");
  tokens[1234] = "other\n";
  const std::string text = with("tokenizer.ggml.tokens", tokens);
  EXPECT_EQ(text.substr(0, 90),
            "vocabulary: tokenizer.ggml.tokens is not that of the reference; it is 'other\\x0A' at "
            "1234,");
}

TEST_F(ConfigurationOfAGguf, RemarksAKeyThatIsMissing) {
  gguf_.file.remove_key("llama.rope.freq_base");
  EXPECT_EQ(found(),
            "remark configuration: llama.rope.freq_base is not that of the reference; it is not "
            "there, the reference implies 10000\n");
}

TEST_F(ConfigurationOfAGguf, FindsWhatTheConverterWouldNotWrite) {
  EXPECT_EQ(
      with("llama.rope.scale_linear", 2.0F),
      "configuration: the scaling of the rope is not that of the reference; it is linear, the "
      "reference implies none\n");
}

class ConfigurationOfADirectory : public ::testing::Test {
 protected:
  std::string found(const nlohmann::json& keys) const {
    const auto result = write_random_model(result_, random_config("LlamaForCausalLM", keys));
    return text_of(fidelity::configuration_findings(fidelity::Models(reference_dir_, result)));
  }

  const ScratchDirectory reference_, result_;
  const std::filesystem::path reference_dir_ =
      write_random_model(reference_, random_config("LlamaForCausalLM"));
};

TEST_F(ConfigurationOfADirectory, MayDifferInTheTypeOfFloats) {
  EXPECT_EQ(found({{"torch_dtype", "bfloat16"}, {"use_cache", false}}), "");
}

TEST_F(ConfigurationOfADirectory, NamesAnotherValue) {
  EXPECT_EQ(found({{"rope_theta", 20000.0}}),
            "configuration: rope_theta is not that of the reference; it is 20000.0, the reference "
            "implies 10000.0\n");
}

TEST_F(ConfigurationOfADirectory, RemarksAKeyThatChangesNothing) {
  EXPECT_EQ(found({{"pretraining_tp", 1}}),
            "remark configuration: pretraining_tp is not that of the reference; it is 1, the "
            "reference implies nothing of that name\n");
}

TEST_F(ConfigurationOfADirectory, OfAnotherArchitectureIsSaidOnce) {
  const ScratchDirectory scratch;
  const auto other = write_random_model(scratch, random_config("Qwen3ForCausalLM"));
  const fidelity::Models models(reference_dir_, other);
  EXPECT_EQ(text_of(fidelity::configuration_findings(models)),
            "configuration: the architecture is not that of the reference; it is qwen3, the "
            "reference implies llama\n");
  EXPECT_FALSE(fidelity::has_equal_shapes(models));
}

TEST_F(ConfigurationOfADirectory, OfOtherShapesIsNotCompared) {
  const ScratchDirectory scratch;
  const auto other =
      write_random_model(scratch, random_config("LlamaForCausalLM", {{"intermediate_size", 128}}));
  EXPECT_FALSE(fidelity::has_equal_shapes(fidelity::Models(reference_dir_, other)));
}

}  // namespace
}  // namespace lq::testing

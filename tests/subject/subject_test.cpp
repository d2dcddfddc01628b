#include "common/subject/subject.h"

#include <gtest/gtest.h>

#include "tests/forward/head_input.h"
#include "tests/forward/model_cases.h"
#include "tests/subject/gguf_files.h"

namespace lq::testing {
namespace {

using subject::Container;
using subject::open_subject;

const std::filesystem::path kData = LQ_TEST_DATA;

std::vector<float> logits_of(const subject::Subject& model) {
  const std::vector<std::int32_t> ids = random_ids(40);
  return all_logits(model.config(), model.weights(), ids, {{ids.size()}}, linalg::Compute::kF32);
}

TEST(Subject, OfAFloatDirectory) {
  const auto model = open_subject(kData / "tiny-llama");
  EXPECT_EQ(model->container(), Container::kFloatDirectory);
  EXPECT_EQ(model->architecture().name, "llama");
  EXPECT_EQ(model->config().n_layers, 6);
  EXPECT_EQ(model->tokenizer().vocab_size(), 2048U);
}

TEST(Subject, OfAQuantizedDirectory) {
  // Its linears are all among those that were left as they are.
  const nlohmann::json quantized = {{"quantization_config", {{"quant_method", "gptq"}}}};
  const ScratchDirectory scratch, plain;
  const auto model =
      open_subject(write_random_model(scratch, random_config("Qwen2ForCausalLM", quantized)));
  EXPECT_EQ(model->container(), Container::kQuantizedDirectory);
  EXPECT_EQ(model->architecture().name, "qwen2");
  EXPECT_EQ(logits_of(*model),
            logits_of(*open_subject(write_random_model(plain, random_config("Qwen2ForCausalLM")))));
  EXPECT_EQ(model->tokenizer().vocab_size(), 2048U);
}

TEST(Subject, OfAGguf) {
  const model::Checkpoint checkpoint = model::open_checkpoint(kData / "tiny-llama");
  const ScratchDirectory scratch;
  const auto model = open_subject(converted(checkpoint).write(scratch.path() / "any.name"));
  EXPECT_EQ(model->container(), Container::kGguf);
  EXPECT_EQ(model->architecture().name, "llama");
  // The file keeps the epsilon of the norms in float32.
  EXPECT_LT(distance(logits_of(*model), logits_of(*open_subject(kData / "tiny-llama"))), 1e-5);
  const text::Tokenizer& tokenizer = model->tokenizer();
  EXPECT_EQ(&tokenizer, &model->tokenizer());
  EXPECT_EQ(tokenizer.encode("Hello there", true).ids,
            open_subject(kData / "tiny-llama")->tokenizer().encode("Hello there", true).ids);
}

TEST(Subject, IsToldFromOneWithAnotherContent) {
  const ScratchDirectory scratch;
  GgufFile file = converted(model::open_checkpoint(kData / "tiny-llama"));
  const auto id = [&](const char* name) {
    return open_subject(file.write(scratch.path() / name))->content_id();
  };
  const std::string first = id("a"), again = id("b");
  EXPECT_EQ(first.size(), 64U);
  EXPECT_EQ(first, again) << "its name is no content";
  file.tensor("blk.3.attn_q.weight").bytes[0] ^= 1;
  EXPECT_NE(id("c"), first);
  file.tensor("blk.3.attn_q.weight").bytes[0] ^= 1;
  file.metadata.set("llama.rope.freq_base", 12345.0F);
  EXPECT_NE(id("d"), first);
  EXPECT_EQ(open_subject(kData / "tiny-llama")->content_id(),
            model::describe_input(model::open_checkpoint(kData / "tiny-llama")).content_id);
}

TEST(Subject, IsOpenedWithoutATokenizer) {
  RandomGguf gguf("LlamaForCausalLM");
  gguf.file.remove_key("tokenizer.ggml.model");
  const auto model = open_subject(gguf.write());
  EXPECT_FALSE(logits_of(*model).empty());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(error_of<base::ValidationError>([&] { model->tokenizer(); }).why(),
              "its metadata lack tokenizer.ggml.model");
  }
}

TEST(Subject, SaysWhatIsNoModel) {
  const ScratchDirectory scratch;
  EXPECT_EQ(
      error_of<base::ModelNotFoundError>([&] { open_subject(scratch.path() / "none"); }).why(),
      "there is no such directory");
  EXPECT_EQ(error_of<base::ModelNotFoundError>([&] { open_subject(scratch.path()); }).why(),
            "config.json is not in this directory");
  const auto text = scratch.write("notes.txt", "of no use as a model");
  EXPECT_EQ(error_of<base::ValidationError>([&] { open_subject(text); }).why().substr(0, 37),
            "it does not start with the bytes GGUF");
}

}  // namespace
}  // namespace lq::testing

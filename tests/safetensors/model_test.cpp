#include "common/safetensors/model.h"

#include <gtest/gtest.h>

#include "common/safetensors/layout.h"
#include "tests/safetensors/raw_file.h"
#include "tests/support/scratch.h"

namespace lq::safetensors {
namespace {

using tensor::DType;

class ModelTest : public ::testing::Test {
 protected:
  void shard(const std::string& file, const std::vector<std::string>& names) {
    std::vector<TensorSpec> specs;
    std::vector<std::string> data;
    for (const std::string& name : names) {
      specs.push_back({name, DType::kU8, {4}});
      data.push_back((name + "....").substr(0, 4));
    }
    scratch_.write(file, serialize(specs, data));
  }
  void index(const std::string& map, const std::string& more = "") {
    scratch_.write("model.safetensors.index.json", "{\"weight_map\":{" + map + "}" + more + "}");
  }
  void two_shards() {
    shard("model-00001-of-00002.safetensors", {"a", "b"});
    shard("model-00002-of-00002.safetensors", {"c"});
    index(kMap);
  }
  std::unique_ptr<tensor::TensorSource> open(Data data = Data::kComplete) {
    return open_model(scratch_.path(), data);
  }
  std::vector<std::string> warnings() {
    const auto source = open();
    return {source->warnings().begin(), source->warnings().end()};
  }
  template <class E>
  std::string why() {
    return testing::error_of<E>([&] { open(); }).why();
  }

  const std::string kMap =
      R"("a":"model-00001-of-00002.safetensors","b":"model-00001-of-00002.safetensors",)"
      R"("c":"model-00002-of-00002.safetensors")";
  testing::ScratchDirectory scratch_;
};

TEST_F(ModelTest, ShardsAreOneSource) {
  two_shards();
  const auto source = open();
  ASSERT_EQ(source->files().size(), 2U);
  EXPECT_EQ(source->files()[1].filename(), "model-00002-of-00002.safetensors");
  ASSERT_EQ(source->tensors().size(), 3U);
  EXPECT_EQ(source->tensors()[2].name, "c");
  EXPECT_EQ(source->tensors()[2].file, 1U);
  std::string bytes(3, '\0');
  source->read(*source->find("c"), 0, std::as_writable_bytes(std::span(bytes)));
  EXPECT_EQ(bytes, "c..");
  source->read(*source->find("b"), 1, std::as_writable_bytes(std::span(bytes)));
  EXPECT_EQ(bytes, "...");
  EXPECT_EQ(source->bytes_read(), 6U);
  EXPECT_EQ(source->find("d"), nullptr);
  EXPECT_TRUE(source->warnings().empty());
}

TEST_F(ModelTest, MissingShardsAreNotFoundAndNamed) {
  two_shards();
  std::filesystem::remove(scratch_.path() / "model-00002-of-00002.safetensors");
  EXPECT_EQ(why<base::ModelNotFoundError>(),
            "1 of 2 weight files named by model.safetensors.index.json are missing: "
            "model-00002-of-00002.safetensors");
  std::filesystem::remove(scratch_.path() / "model-00001-of-00002.safetensors");
  EXPECT_EQ(why<base::ModelNotFoundError>(),
            "2 of 2 weight files named by model.safetensors.index.json are missing: "
            "model-00001-of-00002.safetensors (and 1 more)");
}

TEST_F(ModelTest, AMappedTensorMustBeWhereTheIndexSays) {
  two_shards();
  index(kMap + R"(,"d":"model-00002-of-00002.safetensors")");
  EXPECT_EQ(why<base::ValidationError>(),
            "tensor `d` is not in model-00002-of-00002.safetensors, where the index says it is");
  // It exists, but elsewhere.
  index(R"("a":"model-00002-of-00002.safetensors","b":"model-00001-of-00002.safetensors",)"
        R"("c":"model-00002-of-00002.safetensors")");
  EXPECT_EQ(why<base::ValidationError>(),
            "tensor `a` is not in model-00002-of-00002.safetensors, where the index says it is");
}

TEST_F(ModelTest, ATensorOutsideTheIndexIsLeftOutWithAWarning) {
  two_shards();
  shard("model-00002-of-00002.safetensors", {"c", "x", "y"});
  const auto source = open();
  EXPECT_EQ(source->find("x"), nullptr);
  EXPECT_EQ(source->tensors().size(), 3U);
  ASSERT_EQ(source->warnings().size(), 1U);
  EXPECT_EQ(source->warnings()[0],
            "2 tensors in the weight files are not in the index and not used, first `x`");
}

TEST_F(ModelTest, ATensorInTwoShardsIsWhereTheIndexSays) {
  two_shards();
  shard("model-00002-of-00002.safetensors", {"a", "c"});
  const auto source = open();
  EXPECT_EQ(source->find("a")->file, 0U);
  ASSERT_EQ(source->warnings().size(), 1U);
  EXPECT_EQ(source->warnings()[0],
            "1 tensors are also in files that the index does not name for them, first `a` of "
            "model-00002-of-00002.safetensors");
}

TEST_F(ModelTest, ATensorInTwoShardsAndNotInTheIndexIsAnError) {
  shard("model-00001-of-00002.safetensors", {"a", "b", "x"});
  shard("model-00002-of-00002.safetensors", {"c", "x"});
  index(kMap);
  EXPECT_EQ(why<base::ValidationError>(),
            "tensor `x` is in model-00001-of-00002.safetensors and in "
            "model-00002-of-00002.safetensors, and the index names neither");
}

TEST_F(ModelTest, AWrongTotalSizeIsAWarning) {
  two_shards();
  index(kMap, R"(,"metadata":{"total_size":12})");
  EXPECT_TRUE(warnings().empty());
  index(kMap, R"(,"metadata":{"total_size":13})");
  EXPECT_EQ(warnings(), std::vector<std::string>{
                            "the index states a total size of 13 bytes, the tensors have 12"});
}

TEST_F(ModelTest, TheIndexWinsOverASingleFile) {
  two_shards();
  shard("model.safetensors", {"z"});
  EXPECT_EQ(warnings(), std::vector<std::string>{
                            "model.safetensors is not used: model.safetensors.index.json names "
                            "other files"});
  index(R"("z":"model.safetensors")");
  EXPECT_TRUE(warnings().empty());
  EXPECT_NE(open()->find("z"), nullptr);
}

TEST_F(ModelTest, ASingleFileNeedsNoIndex) {
  shard("model.safetensors", {"z"});
  shard("adapter.safetensors", {"y"});
  EXPECT_NE(open()->find("z"), nullptr);
  EXPECT_EQ(open()->find("y"), nullptr);
}

TEST_F(ModelTest, TheOnlyFileIsTakenWhateverItsName) {
  shard("gptq_model.safetensors", {"z"});
  EXPECT_NE(open()->find("z"), nullptr);
  EXPECT_EQ(warnings(), std::vector<std::string>{"the weights are taken from "
                                                 "`gptq_model.safetensors`, the only .safetensors "
                                                 "file"});
}

TEST_F(ModelTest, SeveralFilesNeedAnIndex) {
  shard("model-00001-of-00002.safetensors", {"a"});
  shard("model-00002-of-00002.safetensors", {"b"});
  EXPECT_EQ(why<base::ModelNotFoundError>(),
            "2 .safetensors files, but no model.safetensors.index.json that says what they hold");
}

TEST_F(ModelTest, WithoutSafetensorsTheMessageSaysWhatIsThere) {
  scratch_.write("config.json", "{}");
  EXPECT_EQ(why<base::ModelNotFoundError>(), "no safetensors weights among its 1 files");
  scratch_.write("m.gguf", "GGUF");
  EXPECT_EQ(why<base::ModelNotFoundError>(), "no safetensors weights, but the GGUF file m.gguf");
  scratch_.write("pytorch_model-2.bin", "x");
  scratch_.write("pytorch_model-1.bin", "x");
  EXPECT_EQ(why<base::ModelNotFoundError>(),
            "no safetensors weights, only pickle files, which can run code when loaded: "
            "pytorch_model-1.bin, pytorch_model-2.bin");
}

TEST_F(ModelTest, ADirectoryThatIsMissingIsNotFound) {
  const auto error =
      testing::error_of<base::ModelNotFoundError>([&] { open_model(scratch_.path() / "none"); });
  EXPECT_EQ(error.why(), "No such file or directory");
}

TEST_F(ModelTest, HeadersAloneCanBeLookedAt) {
  two_shards();
  const auto path = scratch_.path() / "model-00002-of-00002.safetensors";
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 4);
  EXPECT_NE(why<base::ValidationError>().find("truncated"), std::string::npos);
  const auto source = open(Data::kMayBeMissing);
  EXPECT_EQ(source->tensors().size(), 3U);
  EXPECT_EQ(source->warnings().size(), 1U);
}

}  // namespace
}  // namespace lq::safetensors

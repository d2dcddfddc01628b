#include "common/model/checkpoint.h"

#include <filesystem>
#include <gtest/gtest.h>

#include "common/io/input_file.h"
#include "tests/model/checkpoint_files.h"

namespace lq::testing {
namespace {

std::string content_id(const ScratchDirectory& scratch) {
  return model::describe_input(model::open_checkpoint(scratch.path())).content_id;
}

TEST(Checkpoint, CountsEachParameterThatIsUsedOnce) {
  const ScratchDirectory scratch;
  // 10*32 embeddings and output each, 32 norm; per layer 2*32 norms, (32+16+16+32)*32, 3*64*32.
  EXPECT_EQ(small_checkpoint(scratch).n_parameters(),
            2 * 320 + 32 + 2 * (64 + 96 * 32 + 3 * 64 * 32));
  json config = small_config();
  config["tie_word_embeddings"] = true;
  const ScratchDirectory tied;
  EXPECT_EQ(small_checkpoint(tied, config).n_parameters(),
            320 + 32 + 2 * (64 + 96 * 32 + 3 * 64 * 32));
}

TEST(Checkpoint, OfTheBundledModelHasThePublishedNumberOfParameters) {
  const auto checkpoint =
      model::open_checkpoint(std::filesystem::path(LQ_TEST_DATA) / "tiny-llama");
  EXPECT_EQ(checkpoint.n_parameters(), 5'770'496);
}

TEST(Checkpoint, IsRefusedForItsArchitectureBeforeItsWeightsAreLookedAt) {
  const ScratchDirectory scratch;
  scratch.write("config.json", small_config("GPT2LMHeadModel").dump());
  EXPECT_THROW(model::open_checkpoint(scratch.path()), base::UnsupportedError);
  scratch.write("config.json", small_config().dump());
  EXPECT_THROW(model::open_checkpoint(scratch.path()), base::ModelNotFoundError);
}

TEST(Checkpoint, IsRefusedWithABrokenConfig) {
  const ScratchDirectory scratch;
  scratch.write("config.json", "{\"architectures\": [");
  EXPECT_THROW(model::open_checkpoint(scratch.path()), base::ValidationError);
}

TEST(Checkpoint, IsDescribedByAllFilesThatAConversionReads) {
  const ScratchDirectory scratch;
  const auto checkpoint = small_checkpoint(scratch);
  std::filesystem::create_directory(scratch.path() / "additional_chat_templates");
  scratch.write("additional_chat_templates/tool.jinja", "x");
  const stage::Input input = model::describe_input(checkpoint);
  EXPECT_EQ(input.role, "model");
  EXPECT_TRUE(input.path.is_absolute());
  std::vector<std::string> names;
  for (const stage::InputFile& file : input.files) {
    names.push_back(file.path.filename().string());
    EXPECT_EQ(file.size, std::filesystem::file_size(file.path));
    EXPECT_NE(file.mtime_ns, 0);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"config.json", "tokenizer.json", "tool.jinja",
                                             "model.safetensors"}));
  EXPECT_TRUE(input.origin.is_null());
}

TEST(Checkpoint, HasNoFullPathWhereTheCurrentDirectoryIsGone) {
  const auto before = std::filesystem::current_path();
  {
    const ScratchDirectory scratch;
    std::filesystem::current_path(scratch.path());
  }
  const auto error = error_of<base::ModelNotFoundError>([] { model::companion_files("."); });
  EXPECT_EQ(model::model_name("."), "model");
  std::filesystem::current_path(before);
  EXPECT_STREQ(error.what(), "cannot tell the full path of .");
  EXPECT_EQ(error.why(), "the current directory: No such file or directory");
}

TEST(ContentId, IsTheSameForACopyElsewhere) {
  const ScratchDirectory one, two;
  small_checkpoint(one);
  small_checkpoint(two);
  EXPECT_EQ(content_id(one), content_id(two));
  EXPECT_EQ(content_id(one).size(), 64);
}

TEST(ContentId, ChangesWithConfigTokenizerShapesAndValues) {
  const ScratchDirectory scratch;
  small_checkpoint(scratch);
  std::vector<std::string> ids = {content_id(scratch)};
  json config = small_config();
  config["rope_theta"] = 5;
  scratch.write("config.json", config.dump());
  ids.push_back(content_id(scratch));
  scratch.write("tokenizer_config.json", "{}");
  ids.push_back(content_id(scratch));
  std::string weights = counting_weights(small_shapes(config));
  weights.back() = 1;  // the last byte of the last tensor
  scratch.write("model.safetensors", weights);
  ids.push_back(content_id(scratch));
  for (std::size_t i = 1; i < ids.size(); ++i) EXPECT_NE(ids[i], ids[i - 1]) << i;
}

TEST(ModelName, IsTheLastComponentOfTheRealPath) {
  const ScratchDirectory scratch;
  const auto dir = scratch.path() / "Some-Model";
  std::filesystem::create_directory(dir);
  std::filesystem::create_directory_symlink(dir, scratch.path() / "link");
  EXPECT_EQ(model::model_name(dir), "Some-Model");
  EXPECT_EQ(model::model_name(scratch.path() / "link"), "Some-Model");
  EXPECT_EQ(model::model_name(dir / "."), "Some-Model");
  EXPECT_EQ(model::model_name(scratch.path() / "Some-Model/"), "Some-Model");
  EXPECT_EQ(model::model_name("/"), "model");
}

TEST(ModelName, InTheHubsCacheIsTheRepositorys) {
  const ScratchDirectory scratch;
  const auto dir = scratch.path() / "models--org--Nice-Model-1B" / "snapshots" / "0123abcd";
  std::filesystem::create_directories(dir);
  EXPECT_EQ(model::model_name(dir), "Nice-Model-1B");
  small_checkpoint(scratch);
  for (const auto& name : {"config.json", "model.safetensors"}) {
    std::filesystem::copy(scratch.path() / name, dir / name);
  }
  const stage::Input input = model::describe_input(model::open_checkpoint(dir));
  EXPECT_EQ(input.origin["repo"], "org/Nice-Model-1B");
  EXPECT_EQ(input.origin["commit"], "0123abcd");
}

TEST(ModelName, IsThatOfTheManifest) {
  const ScratchDirectory scratch;
  scratch.write("lq-manifest.json", R"({"origin": {"repo": "org/Fetched"}})");
  EXPECT_EQ(model::model_name(scratch.path()), "Fetched");
  scratch.write("lq-manifest.json", R"({"inputs": [{"origin": {"repo": "org/Deeper"}}]})");
  EXPECT_EQ(model::model_name(scratch.path()), "Deeper");
}

TEST(ModelName, TakesNoPathFromAManifest) {
  const ScratchDirectory scratch;
  for (const char* repo : {"../..", "a/", ".hidden", "x/.."}) {
    scratch.write("lq-manifest.json", json{{"origin", {{"repo", repo}}}}.dump());
    EXPECT_EQ(model::model_name(scratch.path()), scratch.path().filename().string()) << repo;
  }
  scratch.write("lq-manifest.json", "not JSON");
  EXPECT_EQ(model::model_name(scratch.path()), scratch.path().filename().string());
}

}  // namespace
}  // namespace lq::testing

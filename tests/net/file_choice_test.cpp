#include "common/net/file_choice.h"

#include <gtest/gtest.h>

#include "common/base/errors.h"
#include "tests/support/scratch.h"

namespace lq::net {
namespace {

using base::ModelNotFoundError;
using lq::testing::error_of;

using Paths = std::vector<std::string>;

std::vector<RepoFile> named(const Paths& paths) {
  std::vector<RepoFile> files;
  for (const std::string& path : paths) files.push_back({path, 0, "", "", ""});
  return files;
}

Wishes including(const Paths& patterns, const Paths& but = {}) {
  return {patterns, but, "", false};
}
Wishes excluding(const Paths& patterns) { return {{}, patterns, "", false}; }
Wishes below(const std::string& folder) { return {{}, {}, folder, false}; }
Wishes with_unsafe(Wishes wishes) {
  wishes.allow_unsafe = true;
  return wishes;
}

Paths chosen(const Paths& paths, const Wishes& wishes = {},
             const std::set<std::string>& shards = {}) {
  Paths names;
  for (const RepoFile& file : choose_files(named(paths), wishes, shards, "o/n")) {
    names.push_back(file.path);
  }
  return names;
}

ModelNotFoundError error(const Paths& paths, const Wishes& wishes = {},
                         const std::set<std::string>& shards = {}) {
  return error_of<ModelNotFoundError>([&] { chosen(paths, wishes, shards); });
}

const std::set<std::string> kShards = {"model-1.safetensors", "model-2.safetensors"};

TEST(FileChoice, ASingleFileOfWeightsGoesBeforeOthers) {
  EXPECT_EQ(chosen({"model.safetensors", "config.json", "other.safetensors", "x.txt"}),
            (Paths{"config.json", "model.safetensors"}));
}

TEST(FileChoice, AnIndexAndExactlyItsShards) {
  EXPECT_EQ(chosen({"model-1.safetensors", "model-2.safetensors", "model-3.safetensors",
                    "model.safetensors", "consolidated.safetensors", kIndexName, "config.json"},
                   {}, kShards),
            (Paths{"config.json", "model-1.safetensors", "model-2.safetensors", kIndexName}));
}

TEST(FileChoice, ShardsMayLieInFoldersBelow) {
  EXPECT_EQ(chosen({"config.json", kIndexName, "w/a.safetensors", "w/b.safetensors"}, {},
                   {"w/a.safetensors"}),
            (Paths{"config.json", kIndexName, "w/a.safetensors"}));
}

TEST(FileChoice, ElseEveryFileOfTheRootThatIsNoCopyAndNoAdapter) {
  EXPECT_EQ(chosen({"b.safetensors", "a.safetensors", "consolidated.safetensors",
                    "consolidated-00001.safetensors", "adapter_model.safetensors",
                    "sub/c.safetensors", "config.json"}),
            (Paths{"a.safetensors", "b.safetensors", "config.json"}));
}

TEST(FileChoice, CompanionsOfTheRootComeAlong) {
  const Paths companions = {"LICENSE",
                            "LICENSE.txt",
                            "NOTICE",
                            "README.md",
                            "USE_POLICY.md",
                            "added_tokens.json",
                            "additional_chat_templates/tool.jinja",
                            "chat_template.jinja",
                            "chat_template.json",
                            "config.json",
                            "generation_config.json",
                            "hf_quant_config.json",
                            "merges.txt",
                            "model.safetensors",
                            "params.json",
                            "preprocessor_config.json",
                            "processor_config.json",
                            "quantization_config.json",
                            "quantize_config.json",
                            "qwen.tiktoken",
                            "special_tokens_map.json",
                            "spiece.model",
                            "tekken.json",
                            "tokenizer.json",
                            "tokenizer.model",
                            "tokenizer_config.json",
                            "video_preprocessor_config.json",
                            "vocab.json",
                            "vocab.txt"};
  Paths all = companions;
  all.insert(all.end(), {"onnx/config.json", "LICENSES/x", "sub/tokenizer.model", "x.gguf",
                         "additional_chat_templates/a/b.jinja", "figure.png", "model.py"});
  EXPECT_EQ(chosen(all), companions);
}

TEST(FileChoice, UnsafeCompanionsStayBehind) {
  const Paths paths = {"LICENSE.py", "NOTICE.SO", "config.json", "model.safetensors"};
  EXPECT_EQ(chosen(paths), (Paths{"config.json", "model.safetensors"}));
  EXPECT_EQ(chosen(paths, with_unsafe({})), paths);
}

TEST(FileChoice, ASubfolderIsARootOfItsOwn) {
  const Paths paths = {"config.json",           "model.safetensors",       "sub/config.json",
                       "sub/model.safetensors", "sub/deep/tokenizer.json", "subx/config.json"};
  EXPECT_EQ(chosen(paths, below("sub")), (Paths{"sub/config.json", "sub/model.safetensors"}));
  EXPECT_EQ(chosen(paths, below("sub/")), (Paths{"sub/config.json", "sub/model.safetensors"}));
}

TEST(FileChoice, ExcludeTakesOutCompanionsConfigAndShards) {
  EXPECT_EQ(
      chosen({"README.md", "config.json", "model-1.safetensors", "model-2.safetensors", kIndexName},
             excluding({"*.md", "config.json", "model-1.*"}), kShards),
      (Paths{"model-2.safetensors", kIndexName}));
  EXPECT_EQ(chosen({"config.json", "model.safetensors"}, excluding({"nothing"})),
            (Paths{"config.json", "model.safetensors"}));
}

TEST(FileChoice, ExcludingEverythingIsAnError) {
  const auto all = error({"config.json", "model.safetensors"}, excluding({"*"}));
  EXPECT_STREQ(all.what(), "nothing of o/n is left to fetch");
  EXPECT_EQ(all.why(), "--exclude takes out every file that was chosen");
  EXPECT_EQ(all.fix(), "leave out --exclude, or give a narrower pattern");
  EXPECT_THROW(chosen({"a"}, including({"a"}, {"a"})), ModelNotFoundError);
}

TEST(FileChoice, PatternsTakeExactlyWhatMatches) {
  EXPECT_EQ(chosen({"z.gguf", "a.gguf", "config.json", "sub/b.gguf"}, including({"*.gguf"})),
            (Paths{"a.gguf", "sub/b.gguf", "z.gguf"}));
  EXPECT_EQ(
      chosen({"a.gguf", "b.gguf", "config.json"}, including({"*.gguf", "config.json"}, {"b*"})),
      (Paths{"a.gguf", "config.json"}));
}

TEST(FileChoice, PatternsLeaveOutUnsafeFiles) {
  const Paths paths = {"a.json", "b.bin", "c.py"};
  EXPECT_EQ(chosen(paths, including({"*"})), (Paths{"a.json"}));
  EXPECT_EQ(chosen(paths, with_unsafe(including({"*"}))), paths);
}

TEST(FileChoice, APatternThatMatchesUnsafeFilesOnlySaysSo) {
  const auto only =
      error({"a.json", "e.bin", "d.bin", "c.bin", "b.bin"}, including({"*.json", "*.bin"}));
  EXPECT_STREQ(only.what(), "--include '*.bin' matches nothing in o/n that is safe");
  EXPECT_EQ(only.why(), "what matches can hold code: `e.bin`, `d.bin`, `c.bin` and 1 more");
  EXPECT_EQ(only.fix(), "--allow-unsafe takes it all the same (it is stored, never opened)");
}

TEST(FileChoice, EachPatternHasToMatch) {
  const auto none = error({"config.json", "x"}, including({"x", "konfig.json"}));
  EXPECT_STREQ(none.what(), "--include 'konfig.json' matches nothing in o/n");
  EXPECT_EQ(none.why(), "the nearest name is `config.json`");
  EXPECT_EQ(none.fix(), "correct the pattern: it is compared with whole paths, and case matters");
  EXPECT_EQ(error({"config.json", "x"}, including({"*.onnx"})).why(),
            "none of its 2 files has such a name");
}

TEST(FileChoice, NamesFromOutsideAreShownEscaped) {
  const auto pattern = error({"config.jso\x1B"}, including({"config.jso\n"}));
  EXPECT_STREQ(pattern.what(), "--include 'config.jso\\x0A' matches nothing in o/n");
  EXPECT_EQ(pattern.why(), "the nearest name is `config.jso\\x1B`");
  const auto repo =
      error_of<ModelNotFoundError>([] { choose_files(named({"x"}), {}, {}, "o\x1B"); });
  EXPECT_STREQ(repo.what(), "no safetensors weights in o\\x1B");
}

TEST(FileChoice, NoConfigIsAnError) {
  const auto none = error({"model.safetensors"});
  EXPECT_STREQ(none.what(), "no config.json in o/n");
  EXPECT_EQ(none.why(), "no model can be read without it");
  EXPECT_EQ(none.fix(), "choose the files with --include PATTERN to do without");
  EXPECT_EQ(error({"model.safetensors", "text/config.json"}).fix(),
            "--subfolder text takes the model in there");
  const auto folder = error({"config.json", "a/model.safetensors"}, below("a"));
  EXPECT_STREQ(folder.what(), "no config.json in `a/` of o/n");
}

TEST(FileChoice, AMissingShardIsNamed) {
  const auto missing = error({"config.json", kIndexName, "model-1.safetensors"}, {}, kShards);
  EXPECT_STREQ(missing.what(), "a part of the weights is missing in o/n");
  EXPECT_EQ(missing.why(),
            "model.safetensors.index.json names `model-2.safetensors`, which is not there");
  EXPECT_EQ(missing.fix(), "try another revision with NAMESPACE/NAME@REVISION, or tell the owner");
}

TEST(FileChoice, AMissingFolderIsNamed) {
  const auto missing = error({"config.json"}, below("a\n"));
  EXPECT_STREQ(missing.what(), "no safetensors weights in `a\\x0A/` of o/n");
  EXPECT_EQ(missing.why(), "there is no such folder");
  EXPECT_EQ(missing.fix(), "give --subfolder as it is written there; case matters");
}

TEST(FileChoice, WhereThereAreGgufFilesTheyAreNamed) {
  const auto gguf = error({"README.md", "m-Q8_0.gguf", "m-Q4_K_M.gguf"});
  EXPECT_STREQ(gguf.what(), "no safetensors weights in o/n");
  EXPECT_EQ(gguf.why(), "it holds GGUF files: `m-Q4_K_M.gguf`, `m-Q8_0.gguf`");
  EXPECT_EQ(gguf.fix(),
            "take one with --include 'm-Q4_K_M.gguf', take all of them with --include '*.gguf'");
  EXPECT_EQ(error({"Q4/m.gguf", "pytorch_model.bin"}).why(), "it holds GGUF files: `Q4/m.gguf`");
}

// What is there to be copied into a shell is no place for a name that ends the quotes.
TEST(FileChoice, ANameThatAShellWouldReadIsNotPartOfAnAdvice) {
  EXPECT_EQ(error({"'; reboot; '.gguf"}).fix(), "take all of them with --include '*.gguf'");
  EXPECT_EQ(error({"'; reboot; '.gguf", "m.gguf"}).fix(),
            "take one with --include 'm.gguf', take all of them with --include '*.gguf'");
  EXPECT_EQ(error({"$(reboot)/model.safetensors"}).fix(),
            "--subfolder FOLDER takes the model of one folder");
}

TEST(FileChoice, WhereThereArePicklesOnlyTheyAreNamed) {
  const auto pickles = error({"config.json", "flax_model.msgpack", "pytorch_model.bin", "x.py"});
  EXPECT_STREQ(pickles.what(), "no safetensors weights in o/n");
  EXPECT_EQ(pickles.why(),
            "it holds weights that can run code when they are opened: `pytorch_model.bin`, "
            "`flax_model.msgpack`");
  EXPECT_EQ(pickles.fix(),
            "--allow-unsafe --include '*.bin' takes them (they are stored, never opened)");
}

TEST(FileChoice, WeightsInFoldersAreNamed) {
  const auto folders =
      error({"config.json", "unet/model.safetensors", "a/adapter_model.safetensors"});
  EXPECT_EQ(folders.why(),
            "they lie in folders: `a/adapter_model.safetensors`, `unet/model.safetensors`");
  EXPECT_EQ(folders.fix(), "--subfolder unet takes the model in there");
}

TEST(FileChoice, AdaptersAndCopiesAloneAreNamed) {
  const auto adapter = error({"config.json", "adapter_model.safetensors"});
  EXPECT_EQ(adapter.why(),
            "it holds adapters or consolidated copies alone: `adapter_model.safetensors`");
  EXPECT_EQ(adapter.fix(),
            "fetch the model that an adapter belongs to, or take the files with --include "
            "'*.safetensors' --include '*.json'");
}

TEST(FileChoice, WithoutAnyWeightsItSaysSo) {
  const auto none = error({"config.json", "x.onnx"});
  EXPECT_EQ(none.why(), "none of its 2 files holds weights");
  EXPECT_EQ(none.fix(), "choose the files with --include PATTERN, or fetch another repository");
  EXPECT_EQ(error({}).why(), "none of its 0 files holds weights");
}

TEST(IsUnsafe, PicklesAndPrograms) {
  for (const char* path :
       {"a.bin", "a.pt",  "a.pth", "a.ckpt",  "a.pkl",     "a.pickle", "a.joblib",
        "a.npy", "a.npz", "a.h5",  "a.keras", "a.msgpack", "a.ot",     "a.py",
        "a.so",  "a.dll", "a.exe", "a.sh",    "x/a.py",    ".py",      "A.BIN"}) {
    EXPECT_TRUE(is_unsafe(path)) << path;
  }
  for (const char* path : {"a.safetensors", "a.gguf", "a.json", "bin", "a.bin.index.json", "a.md",
                           "tokenizer.model", "a.bin/b", ""}) {
    EXPECT_FALSE(is_unsafe(path)) << path;
  }
}

TEST(IndexToRead, IsTheOneOfTheFolder) {
  const auto files =
      named({"config.json", "model.safetensors.index.json", "sub/model.safetensors.index.json"});
  EXPECT_EQ(index_to_read(files, {}), &files[1]);
  EXPECT_EQ(index_to_read(files, below("sub/")), &files[2]);
  EXPECT_EQ(index_to_read(files, below("other")), nullptr);
  EXPECT_EQ(index_to_read(files, including({"*"})), nullptr);
  // The set to take from is the same, whatever is taken out of it.
  EXPECT_EQ(index_to_read(files, excluding({"*.index.json"})), &files[1]);
}

}  // namespace
}  // namespace lq::net

// What lies here already: taken where it is right, and never vouched for where it is not.

#include <algorithm>
#include <chrono>
#include <fstream>
#include <gtest/gtest.h>
#include <regex>
#include <signal.h>

#include "tests/fetch/fetcher.h"
#include "tests/support/wait_until.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// As a file is that was written a while after it came.
void make_younger(const fs::path& file) {
  fs::last_write_time(file, fs::file_time_type::clock::now() + std::chrono::minutes(1));
}

/// A branch that can move to another commit.
class MovedBranchTest : public FetchTest {
 protected:
  void SetUp() override {
    hub_.add("org/model",
             {{"config.json", "{}"},
              {"tokenizer.json", "only here"},
              {"model.safetensors", small_safetensors(20'000'000)}},
             {{"commits", {{kCommit, "files"}, {kOtherCommit, "newer"}}},
              {"refs", {{"main", kCommit}}}});
    for (const auto& [path, bytes] : newer_) {
      fs::create_directories(hub_.root() / "org/model/newer");
      std::ofstream(hub_.root() / "org/model/newer" / path, std::ios::binary) << bytes;
    }
    hub_.start();
  }
  void move() {
    hub_.faults({{{"on", "hub"}, {"path", "/revision/"}, {"set", {{"sha", kOtherCommit}}}}});
  }

  const Files newer_ = {{"config.json", "{\"a\":1}"},
                        {"model.safetensors", small_safetensors(20'000'000)}};
};

TEST_F(FetchTest, WithoutLinksADamagedFileIsMendedFromTheBlob) {
  const Files model = hub_.add_model("org/model", 1, 200'000);
  hub_.start();
  ASSERT_EQ(fetch({"org/model"}).exit_code, 0);  // the blob
  const fs::path place = snapshot("models--org--model") / "model.safetensors";
  std::string bytes = model.at("model.safetensors");
  bytes[1000] = static_cast<char>(bytes[1000] ^ 1);
  fs::remove(place);
  scratch_.write(place.lexically_relative(scratch_.path()), bytes);
  fs::remove_all(cache() / "models--org--model/lq");
  hub_.forget_requests();
  const Outcome made = fetch({"org/model"}, {{"HF_HUB_DISABLE_SYMLINKS", "1"}});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(files_in(snapshot("models--org--model")), model);
  EXPECT_FALSE(fs::is_symlink(place));
  EXPECT_LE(storage_bytes(), 1U) << "the blob is right";
}

TEST_F(FetchTest, FilesWithoutHashesAreFetchedAgainForANewCommit) {
  hub_.add(
      "org/model", {{"config.json", "{\"a\":1}"}, {"model.safetensors", small_safetensors(10)}},
      {{"commits", {{kCommit, "files"}, {kOtherCommit, "newer"}}}, {"refs", {{"main", kCommit}}}});
  const json hide = {{"on", "hub"},
                     {"path", "/tree/"},
                     {"entry", "."},
                     {"set", {{"oid", nullptr}, {"lfs", nullptr}, {"xetHash", nullptr}}}};
  hub_.faults(json::array({hide}));
  hub_.start();
  ASSERT_EQ(fetch({"org/model", "-o", "here"}).exit_code, 0);
  EXPECT_NE(fetch({"org/model", "-o", "here"}).err.find("up to date"), std::string::npos);
  const Files newer = {{"config.json", "{\"b\":2}"},
                       {"model.safetensors", small_safetensors(10, 2)}};
  for (const auto& [path, bytes] : newer) {
    fs::create_directories(hub_.root() / "org/model/newer");
    std::ofstream(hub_.root() / "org/model/newer" / path, std::ios::binary) << bytes;
  }
  hub_.faults({hide, {{"on", "hub"}, {"path", "/revision/"}, {"set", {{"sha", kOtherCommit}}}}});
  const Outcome moved = fetch({"org/model", "-o", "here"});
  ASSERT_EQ(moved.exit_code, 0) << moved.err;
  EXPECT_EQ(files_in(scratch_.path() / "here"), newer);
}

TEST_F(FetchTest, OfflineADirectoryIsNotTakenForACommitThatNobodyFetchedIntoIt) {
  scratch_.write("here/config.json", "{}");
  scratch_.write("here/model.safetensors", small_safetensors(10));
  for (const char* const how : {"-v", "--verify"}) {
    const Outcome offline =
        fetch({std::string("org/model@") + kCommit, "-o", "here", how}, {{"HF_HUB_OFFLINE", "1"}});
    EXPECT_EQ(offline.exit_code, 3) << offline.err;
    EXPECT_NE(offline.err.find("nothing of it is here"), std::string::npos) << offline.err;
  }
}

TEST_F(FetchTest, OfflineABlobIsHeldAgainstItsName) {
  hub_.add_model("org/model", 1, 200'000);
  hub_.start();
  ASSERT_EQ(fetch({"org/model"}).exit_code, 0);
  const fs::path repo = cache() / "models--org--model";
  fs::remove_all(repo / "trees");
  fs::remove_all(repo / "lq");
  const std::map<std::string, std::string> offline = {{"HF_HUB_OFFLINE", "1"}};
  EXPECT_EQ(fetch({"org/model"}, offline).exit_code, 0);
  fs::resize_file(fs::canonical(snapshot("models--org--model") / "model.safetensors"), 100);
  EXPECT_EQ(fetch({"org/model"}, offline).exit_code, 3);
  EXPECT_EQ(fetch({"org/model", "--verify"}, offline).exit_code, 6);
}

TEST_F(FetchTest, TheManifestOfARepositoryDoesNotReplaceOurs) {
  Files model = hub_.add_model("org/model", 1, 1000);
  model["lq-manifest.json"] = "theirs";
  hub_.add("org/copy", model);
  hub_.start();
  const Outcome made = fetch({"org/copy", "-o", "here", "--include", "*"});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_NE(made.err.find("lq-manifest.json of the repository is left out"), std::string::npos)
      << made.err;
  EXPECT_EQ(fetch({"org/copy", "-o", "here", "--include", "*", "--verify"}).exit_code, 0);
  EXPECT_NE(fetch({"org/copy", "-o", "here", "--include", "*"}).err.find("up to date"),
            std::string::npos);
}

TEST_F(FetchTest, ARepositoryWithoutFilesIsNamed) {
  hub_.add("org/empty", {});
  hub_.start();
  const Outcome empty = fetch({"org/empty"});
  EXPECT_EQ(empty.exit_code, 3) << empty.err;
  EXPECT_NE(empty.err.find("the repository has no files at that revision"), std::string::npos)
      << empty.err;
}

TEST_F(FetchTest, AFolderThatBecameAFileMakesRoom) {
  hub_.add(
      "org/model", {{"config.json", "{}"}, {"a/b/x.json", "1"}},
      {{"commits", {{kCommit, "files"}, {kOtherCommit, "newer"}}}, {"refs", {{"main", kCommit}}}});
  hub_.start();
  ASSERT_EQ(fetch({"org/model", "-o", "here", "--include", "*"}).exit_code, 0);
  const Files newer = {{"config.json", "{}"}, {"a", "a file now"}};
  fs::create_directories(hub_.root() / "org/model/newer");
  for (const auto& [path, bytes] : newer) {
    std::ofstream(hub_.root() / "org/model/newer" / path, std::ios::binary) << bytes;
  }
  hub_.faults({{{"on", "hub"}, {"path", "/revision/"}, {"set", {{"sha", kOtherCommit}}}}});
  const Outcome moved = fetch({"org/model", "-o", "here", "--include", "*"});
  ASSERT_EQ(moved.exit_code, 0) << moved.err;
  EXPECT_EQ(files_in(scratch_.path() / "here"), newer);
}

TEST_F(FetchTest, ADryRunRefusesWhatTheRunWould) {
  hub_.add_model("org/model", 1, 1000);
  hub_.start();
  scratch_.write("here/config.json", "mine");
  EXPECT_EQ(fetch({"org/model", "-o", "here", "--dry-run"}).exit_code, 8);
  EXPECT_EQ(fetch({"org/model", "-o", "here"}).exit_code, 8);
}

TEST_F(FetchTest, AnEditedFileIsReplacedByForceAlone) {
  const Files model = hub_.add_model("org/model", 1, 1000);
  hub_.start();
  ASSERT_EQ(fetch({"org/model"}).exit_code, 0);  // the shared cache has it too
  ASSERT_EQ(fetch({"org/model", "-o", "here"}).exit_code, 0);
  const fs::path config = scratch_.path() / "here/config.json";
  make_younger(scratch_.write("here/config.json", R"({"model_type":"mine!"})"));
  const Outcome refused = fetch({"org/model", "-o", "here"});
  EXPECT_EQ(refused.exit_code, 8) << refused.err;
  EXPECT_NE(refused.err.find("cannot write " + config.string()), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("or that was edited since"), std::string::npos) << refused.err;
  EXPECT_EQ(read_file(config), R"({"model_type":"mine!"})");
  const Outcome forced = fetch({"org/model", "-o", "here", "--force"});
  EXPECT_EQ(forced.exit_code, 0) << forced.err;
  EXPECT_EQ(files_in(scratch_.path() / "here"), model);
}

TEST_F(FetchTest, AFileOfTheUsersIsNotReplacedFromTheCache) {
  hub_.add_model("org/model", 1, 1000);
  hub_.start();
  ASSERT_EQ(fetch({"org/model"}).exit_code, 0);
  const fs::path mine = scratch_.write("here/README.md", "my own notes");
  EXPECT_EQ(fetch({"org/model", "-o", "here"}).exit_code, 8);
  EXPECT_EQ(read_file(mine), "my own notes");
}

TEST_F(MovedBranchTest, RefusedForAnEditedFileLeavesAllAsItWas) {
  ASSERT_EQ(fetch({"org/model", "-o", "here"}).exit_code, 0);
  make_younger(scratch_.write("here/config.json", "{\"mine\": 1}"));
  const Files before = files_in(scratch_.path() / "here");
  const std::string manifest = read_file(scratch_.path() / "here/lq-manifest.json");
  move();
  const Outcome refused = fetch({"org/model", "-o", "here"});
  EXPECT_EQ(refused.exit_code, 8) << refused.err;
  EXPECT_TRUE(files_in(scratch_.path() / "here") == before);
  EXPECT_EQ(read_file(scratch_.path() / "here/lq-manifest.json"), manifest);
}

TEST_F(MovedBranchTest, LeavesWhatAKilledRunFetchedToTheNewCommit) {
  hub_.faults({{{"on", "storage"}, {"times", 1}, {"drop_after", 15'000'000}},
               {{"on", "storage"}, {"status", 404}}});
  ASSERT_EQ(fetch({"org/model", "--jobs", "1"}).exit_code, 9);
  move();
  hub_.forget_requests();
  const Outcome moved = fetch({"org/model"});
  ASSERT_EQ(moved.exit_code, 0) << moved.err;
  EXPECT_NE(moved.err.find("resuming: "), std::string::npos) << moved.err;
  EXPECT_LT(storage_bytes(), 15'000'000U) << "the weights are the same in both commits";
  EXPECT_TRUE(files_in(cache() / "models--org--model/snapshots" / kOtherCommit) == newer_);
  for (const auto& entry : fs::directory_iterator(cache() / "models--org--model/blobs")) {
    EXPECT_EQ(entry.path().filename().string().find(".lq"), std::string::npos) << entry.path();
  }
}

TEST_F(MovedBranchTest, WhatKilledRunsLeftOfContentThatCameIsRemoved) {
  ASSERT_EQ(fetch({"org/model"}).exit_code, 0);
  const fs::path blobs = cache() / "models--org--model/blobs";
  const std::string weights = fs::canonical(snapshot("models--org--model") / "model.safetensors");
  for (const char* const suffix : {".11111111.lq.incomplete", ".11111111.lq.journal",
                                   ".22222222.lq.incomplete", ".22222222.lq.journal"}) {
    std::ofstream(weights + suffix) << "half";
  }
  const fs::path wanted_by_others = blobs / (std::string(64, 'a') + ".11111111.lq.incomplete");
  std::ofstream(wanted_by_others) << "half";
  move();
  ASSERT_EQ(fetch({"org/model"}).exit_code, 0);
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(blobs)) {
    if (entry.path().filename().string().find(".lq") != std::string::npos) left.push_back(entry);
  }
  EXPECT_EQ(left, std::vector<fs::path>{wanted_by_others});
}

TEST_F(MovedBranchTest, TakesNothingFromARunThatIsAtTheOlderCommit) {
  RunningCommand running(command({"org/model", "--limit-rate", "8M"}));
  const fs::path blobs = cache() / "models--org--model/blobs";
  ASSERT_TRUE(wait_until([&] {
    std::error_code not_yet;
    return running.ended() ||
           std::ranges::any_of(fs::directory_iterator(blobs, not_yet), [](const auto& entry) {
             return entry.path().extension() == ".journal";
           });
  }));
  running.signal(SIGSTOP);
  move();
  const Outcome moved = fetch({"org/model"});
  EXPECT_EQ(moved.exit_code, 0) << moved.err;
  EXPECT_EQ(moved.err.find("resuming: "), std::string::npos) << moved.err;
  running.signal(SIGCONT);
  EXPECT_EQ(running.wait(), 0);
  EXPECT_TRUE(files_in(cache() / "models--org--model/snapshots" / kOtherCommit) == newer_);
  EXPECT_EQ(files_in(snapshot("models--org--model")).at("tokenizer.json"), "only here");
}

TEST_F(MovedBranchTest, ReachesADirectoryThatWasCopied) {
  ASSERT_EQ(fetch({"org/model", "-o", "here"}).exit_code, 0);
  fs::copy(scratch_.path() / "here", scratch_.path() / "copy", fs::copy_options::recursive);
  for (const auto& entry : fs::directory_iterator(scratch_.path() / "copy")) make_younger(entry);
  move();
  const Outcome moved = fetch({"org/model", "-o", "copy"});
  ASSERT_EQ(moved.exit_code, 0) << moved.err;
  EXPECT_TRUE(files_in(scratch_.path() / "copy") == newer_);
}

TEST_F(FetchTest, WhatTheCacheHasReadOnlyIsTheUsersToWriteInADirectory) {
  hub_.add_model("org/model", 1, 1000);
  hub_.start();
  ASSERT_EQ(fetch({"org/model"}).exit_code, 0);
  for (const auto& blob : fs::directory_iterator(cache() / "models--org--model/blobs")) {
    fs::permissions(blob, fs::perms::owner_read);
  }
  const Outcome made = fetch({"org/model", "-o", "here"});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  const fs::perms mode = fs::status(scratch_.path() / "here/model.safetensors").permissions();
  EXPECT_NE(mode & fs::perms::owner_write, fs::perms::none);
}

TEST_F(FetchTest, WhatIsKeptOfTwinsIsCountedOnce) {
  constexpr std::size_t kBytes = 20'000'000;
  const std::string content = noise(kBytes, 5);
  hub_.add("org/twins", {{"config.json", "{}"}, {"twin-1.txt", content}, {"twin-2.txt", content}});
  hub_.faults({{{"on", "storage"}, {"times", 1}, {"drop_after", 15'000'000}},
               {{"on", "storage"}, {"status", 404}}});
  hub_.start();
  ASSERT_EQ(fetch({"org/twins", "--include", "*", "--jobs", "1"}).exit_code, 9);
  hub_.faults(json::array());
  const Outcome resumed = fetch({"org/twins", "--include", "*", "--jobs", "1"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  std::smatch match;
  ASSERT_TRUE(std::regex_search(resumed.err, match, std::regex("resuming: ([0-9.]+) MiB")))
      << resumed.err;
  EXPECT_GT(std::stod(match[1]), 5);
  EXPECT_LT(std::stod(match[1]), kBytes / 1048576.0);
}

TEST_F(FetchTest, AFileThatWasReadForTheChoiceLeavesNoJournalOfAnEarlierRun) {
  const Files model = hub_.add_model("org/model", 2, 1000);
  hub_.start();
  std::string hash;
  const json listed = json::parse(fetch({"org/model", "--list", "--json"}).out);
  for (const json& file : listed["files"]) {
    if (file["path"] == "model.safetensors.index.json") hash = file["hash"];
  }
  const fs::path journal = scratch_.write("here/.cache/huggingface/download/model.safetensors." +
                                              ("index.json." + hash + ".lq.journal"),
                                          "old");
  ASSERT_EQ(fetch({"org/model", "-o", "here"}).exit_code, 0);
  EXPECT_FALSE(fs::exists(journal)) << journal;
  EXPECT_EQ(files_in(scratch_.path() / "here"), model);
}

TEST_F(FetchTest, WarnsOfCodeOfTheModelsOwnInASubfolder) {
  const std::string custom = R"({"auto_map":{"AutoModel":"modeling.py"}})";
  hub_.add("org/model", {{"config.json", "{}"},
                         {"model.safetensors", small_safetensors(10)},
                         {"sub/config.json", custom},
                         {"sub/model.safetensors", small_safetensors(10)}});
  hub_.start();
  const Outcome root = fetch({"org/model", "-o", "here"});
  EXPECT_EQ(root.exit_code, 0) << root.err;
  EXPECT_EQ(root.err.find("auto_map"), std::string::npos) << root.err;
  const Outcome sub = fetch({"org/model", "-o", "here", "--subfolder", "sub"});
  EXPECT_EQ(sub.exit_code, 0) << sub.err;
  EXPECT_NE(sub.err.find("the model has code of its own (auto_map in sub/config.json)"),
            std::string::npos)
      << sub.err;
  const Outcome root_again = fetch({"org/model", "-o", "here", "--force"});
  EXPECT_EQ(root_again.err.find("auto_map"), std::string::npos) << root_again.err;
}

TEST_F(FetchTest, SaysHowToKeepAFileOfTheUsersThatIsInTheWay) {
  hub_.add_model("org/model", 1, 1000);
  hub_.start();
  const fs::path mine = scratch_.write("here/README.md", "my own notes");
  const Outcome refused = fetch({"org/model", "-o", "here"});
  EXPECT_EQ(refused.exit_code, 8) << refused.err;
  for (const std::string& text :
       {"cannot write " + mine.string(),
        std::string("why: a file is there that these tools did not make, or that was edited since, "
                    "and its content is not the Hub's"),
        std::string(
            "move it away, choose another directory with -o, or replace it with --force")}) {
    EXPECT_NE(refused.err.find(text), std::string::npos) << refused.err;
  }
}

// Removes the first shard as soon as it is there, while the second is waited for.
constexpr const char* kRemovesAShard = R"(
"$@" 2> err & fetch=$!
until rm here/model-00001-of-00002.safetensors 2> none; do
  kill -0 $fetch || break
  sleep 0.01
done
wait $fetch
)";

TEST_F(FetchTest, AFileThatVanishesBeforeItIsRecordedIsNamed) {
  const Files model = hub_.add_model("org/model", 2, 200'000);
  hub_.faults({{{"on", "storage"}, {"path", "00002-of"}, {"delay", 4}}});
  hub_.start();
  const Command whole = command({"org/model", "-o", "here"});
  Command removing = whole;
  removing.arguments = {"bash", "-c", kRemovesAShard, "bash"};
  removing.arguments.insert(removing.arguments.end(), whole.arguments.begin(),
                            whole.arguments.end());
  EXPECT_EQ(run(removing).exit_code, 8);
  const std::string said = read_file(scratch_.path() / "err");
  const fs::path shard = scratch_.path() / "here/model-00001-of-00002.safetensors";
  for (const std::string& text :
       {std::string("cannot record what was fetched"), "why: " + shard.string() + " is gone",
        std::string("run the same command again")}) {
    EXPECT_NE(said.find(text), std::string::npos) << said;
  }
  EXPECT_FALSE(fs::exists(scratch_.path() / "here/lq-manifest.json"));
  hub_.faults(json::array());
  ASSERT_EQ(run(whole).exit_code, 0);
  EXPECT_EQ(files_in(scratch_.path() / "here"), model);
}

}  // namespace
}  // namespace lq::testing

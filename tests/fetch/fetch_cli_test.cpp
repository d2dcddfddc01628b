// What lq-fetch brings, and where it puts it.

#include <fstream>
#include <gtest/gtest.h>

#include "tests/fetch/fetcher.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::vector<std::string> paths_of(const Files& files) {
  std::vector<std::string> paths;
  for (const auto& [path, bytes] : files) paths.push_back(path);
  return paths;
}

TEST_F(FetchTest, WarnsOfPathsThatDifferInCaseAlone) {
  Files model = hub_.add_model("org/model", 1, 1000);
  model["readme.md"] = "a";
  model["README.md"] = "b";
  hub_.add("org/both", model);
  hub_.start();
  const Outcome outcome = fetch({"org/both", "--include", "*.md", "--list"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("README.md and readme.md differ in case alone"), std::string::npos)
      << outcome.err;
}

TEST_F(FetchTest, BringsAShardedModelIntoTheSharedCache) {
  const Files model = hub_.add_model("org/model", 3, 300'000);
  hub_.start();
  const Outcome made = fetch({"org/model"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const fs::path directory = snapshot("models--org--model");
  EXPECT_EQ(made.out, directory.string() + "\n");
  EXPECT_EQ(files_in(directory), model);
  EXPECT_TRUE(fs::is_symlink(directory / "config.json"));
  EXPECT_EQ(read_file(cache() / "models--org--model/refs/main"), kCommit);
  for (const auto& entry : fs::directory_iterator(cache() / "models--org--model/blobs")) {
    EXPECT_FALSE(entry.path().filename().string().find(".lq") != std::string::npos) << entry.path();
  }
  EXPECT_TRUE(fs::exists(cache() / "models--org--model/lq" / (std::string(kCommit) + ".json")));
  EXPECT_TRUE(fs::exists(cache() / "CACHEDIR.TAG"));
}

TEST_F(FetchTest, BringsAModelIntoADirectoryWithNotesForTheReferenceClient) {
  const Files model = hub_.add_model("org/model", 1, 300'000);
  hub_.start();
  const Outcome made = fetch({"org/model", "-o", "here"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(made.out, (scratch_.path() / "here").string() + "\n");
  EXPECT_EQ(fetch({"org/model", "-o", "here/x/.."}).out, made.out);
  EXPECT_EQ(files_in(scratch_.path() / "here"), model);
  const fs::path notes = scratch_.path() / "here/.cache/huggingface";
  EXPECT_TRUE(read_file(notes / "download/config.json.metadata").starts_with(kCommit));
  EXPECT_EQ(read_file(notes / ".gitignore"), "*");
  EXPECT_TRUE(fs::exists(notes / "trees" / (std::string(kCommit) + ".json")));
  const json manifest = json::parse(read_file(scratch_.path() / "here/lq-manifest.json"));
  EXPECT_EQ(manifest["origin"]["repo"], "org/model");
  EXPECT_EQ(manifest["origin"]["commit"], kCommit);
  EXPECT_EQ(manifest["origin"]["endpoint"], hub_.endpoint());
  EXPECT_EQ(manifest["outputs"].size(), model.size());
  for (const json& output : manifest["outputs"]) {
    EXPECT_EQ(output["sha256"].get<std::string>().size(), 64U);
  }
}

TEST_F(FetchTest, SaysHowMuchIsStillToCome) {
  hub_.add_model("org/model", 2, 10U << 20);
  hub_.faults({{{"on", "storage"}, {"times", 1}, {"drop_after", 5'000'000}},
               {{"on", "storage"}, {"status", 404}}});
  hub_.start();
  const Outcome begun = fetch({"org/model", "-o", "here", "--jobs", "1"});
  EXPECT_NE(begun.err.find("5 units, 20.03 MiB to write\n"), std::string::npos) << begun.err;
  hub_.faults(json::array());
  const Outcome resumed = fetch({"org/model", "-o", "here"});
  EXPECT_NE(resumed.err.find(" units, 15."), std::string::npos) << resumed.err;
  const Outcome anew = fetch({"org/model", "-o", "there", "--include", "*00001*"});
  EXPECT_NE(anew.err.find("1 units, 10.00 MiB to write\n"), std::string::npos) << anew.err;
}

TEST_F(FetchTest, ASecondRunAsksOnlyForTheRevision) {
  hub_.add_model("org/model", 2, 300'000);
  hub_.start();
  for (const std::vector<std::string>& place :
       {std::vector<std::string>{}, std::vector<std::string>{"-o", "here"}}) {
    std::vector<std::string> arguments = {"org/model"};
    arguments.insert(arguments.end(), place.begin(), place.end());
    const Outcome first = fetch(arguments);
    ASSERT_EQ(first.exit_code, 0) << first.err;
    hub_.forget_requests();
    const Outcome second = fetch(arguments);
    EXPECT_EQ(second.exit_code, 0);
    EXPECT_EQ(second.out, first.out);
    EXPECT_NE(second.err.find("up to date (made "), std::string::npos) << second.err;
    const auto requests = hub_.requests();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0]["path"], "/api/models/org/model/revision/main");
  }
}

TEST_F(FetchTest, FetchesOnlyWhatALargerChoiceLacks) {
  hub_.add_model("org/model", 2, 300'000);
  hub_.start();
  ASSERT_EQ(fetch({"org/model", "--include", "*.json"}).exit_code, 0);
  hub_.forget_requests();
  ASSERT_EQ(fetch({"org/model"}).exit_code, 0);
  for (const json& request : hub_.requests()) {
    EXPECT_EQ(request["path"].get<std::string>().find(".json"), std::string::npos) << request;
  }
  const Outcome smaller = fetch({"org/model", "--include", "config.json"});
  EXPECT_NE(smaller.err.find("up to date"), std::string::npos) << smaller.err;
}

TEST_F(FetchTest, NestedEmptyAndEqualFilesComeToo) {
  const Files files = {{"config.json", "{}"},
                       {"empty", ""},
                       {"a/b/c/deep.txt", "deep"},
                       {"twin-1.bin.txt", noise(200'000, 5)},
                       {"twin-2.bin.txt", noise(200'000, 5)}};
  hub_.add("org/odd", files);
  hub_.start();
  const Outcome cached = fetch({"org/odd", "--include", "*"});
  ASSERT_EQ(cached.exit_code, 0) << cached.err;
  EXPECT_EQ(files_in(snapshot("models--org--odd")), files);
  const Outcome plain = fetch({"org/odd", "--include", "*", "-o", "plain"});
  ASSERT_EQ(plain.exit_code, 0) << plain.err;
  EXPECT_EQ(files_in(scratch_.path() / "plain"), files);
}

TEST_F(FetchTest, APlainDirectoryTakesWhatTheCacheHas) {
  const Files model = hub_.add_model("org/model", 1, 300'000);
  hub_.start();
  ASSERT_EQ(fetch({"org/model"}).exit_code, 0);
  hub_.forget_requests();
  ASSERT_EQ(fetch({"org/model", "-o", "here"}).exit_code, 0);
  EXPECT_EQ(files_in(scratch_.path() / "here"), model);
  EXPECT_LE(storage_bytes(), 1U) << "only the question whether access is given";
}

TEST_F(FetchTest, TakesBranchTagCommitAndPullRequest) {
  hub_.add("org/model", {{"config.json", "{}"}, {"model.safetensors", small_safetensors(10)}},
           {{"commits", {{kCommit, "files"}, {kOtherCommit, "files"}}},
            {"refs", {{"main", kCommit}, {"v1.0", kOtherCommit}, {"refs/pr/1", kOtherCommit}}},
            {"tags", {"v1.0"}}});
  hub_.start();
  for (const char* revision : {"v1.0", "refs/pr/1", kOtherCommit}) {
    const Outcome made = fetch({std::string("org/model@") + revision});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    EXPECT_TRUE(made.out.ends_with(std::string(kOtherCommit) + "\n")) << made.out;
  }
  EXPECT_EQ(read_file(cache() / "models--org--model/refs/refs/pr/1"), kOtherCommit);
  const Outcome missing = fetch({"org/model@v9"});
  EXPECT_EQ(missing.exit_code, 3);
  EXPECT_NE(missing.err.find("why: org/model has no revision v9"), std::string::npos)
      << missing.err;
  EXPECT_NE(missing.err.find("there is: main, "), std::string::npos) << missing.err;
}

TEST_F(FetchTest, ListsWithoutWritingAnything) {
  hub_.add_model("org/model", 2, 300'000);
  hub_.start();
  const Outcome text = fetch({"org/model", "--list"});
  ASSERT_EQ(text.exit_code, 0) << text.err;
  EXPECT_NE(text.out.find("config.json "), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("6 files, "), std::string::npos) << text.out;
  const Outcome object = fetch({"org/model", "--list", "--json"});
  const json parsed = json::parse(object.out);
  EXPECT_EQ(parsed["files"].size(), 6U);
  EXPECT_EQ(parsed["commit"], kCommit);
  EXPECT_FALSE(fs::exists(scratch_.path() / "home"));
}

TEST_F(FetchTest, ADryRunWritesNothing) {
  hub_.add_model("org/model", 2, 300'000);
  hub_.start();
  for (const std::vector<std::string>& place :
       {std::vector<std::string>{}, std::vector<std::string>{"-o", "here"}}) {
    std::vector<std::string> arguments = {"org/model", "--dry-run"};
    arguments.insert(arguments.end(), place.begin(), place.end());
    const Outcome planned = fetch(arguments);
    ASSERT_EQ(planned.exit_code, 0) << planned.err;
    EXPECT_NE(planned.out.find("units of work: 6\n"), std::string::npos) << planned.out;
  }
  EXPECT_FALSE(fs::exists(scratch_.path() / "home"));
  EXPECT_FALSE(fs::exists(scratch_.path() / "here"));
}

TEST_F(FetchTest, TakesTheAddressOfTheRepository) {
  hub_.add_model("org/model", 1, 1000);
  hub_.start();
  EXPECT_EQ(fetch({hub_.endpoint() + "/org/model/tree/main", "-o", "a"}).exit_code, 0);
  EXPECT_EQ(fetch({"hf://org/model", "-o", "b"}).exit_code, 0);
}

TEST_F(FetchTest, RefusesARepositoryWithAPathThatLeadsOut) {
  for (const char* path : {"../evil", "/etc/passwd", "a/../../b", ".git/hooks/x"}) {
    HubServer server;
    server.add(
        "org/evil", {{"config.json", "{}"}, {"model.safetensors", small_safetensors(10)}},
        {{"extra_tree", {{{"type", "file"}, {"path", path}, {"size", 1}, {"oid", kCommit}}}}});
    server.start();
    const Outcome refused = fetch({"org/evil"}, {{"HF_ENDPOINT", server.endpoint()}});
    EXPECT_EQ(refused.exit_code, 6) << path << refused.err;
    EXPECT_NE(refused.err.find(path), std::string::npos) << refused.err;
    EXPECT_FALSE(fs::exists(scratch_.path() / "home/hub"));
  }
}

TEST_F(FetchTest, FollowsARenamedRepositoryUnderTheNameAskedFor) {
  const Files model = hub_.add_model("org/new", 1, 200'000);
  hub_.add("org/old", {}, {{"renamed_to", "org/new"}});
  hub_.start();
  const Outcome made = fetch({"org/old"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(files_in(snapshot("models--org--old")), model);
}

TEST_F(FetchTest, WorksOfflineFromWhatIsThere) {
  const Files model = hub_.add_model("org/model", 2, 200'000);
  hub_.start();
  const std::map<std::string, std::string> offline = {{"HF_HUB_OFFLINE", "1"}};
  const Outcome nothing = fetch({"org/model"}, offline);
  EXPECT_EQ(nothing.exit_code, 3);
  EXPECT_NE(nothing.err.find("unset HF_HUB_OFFLINE"), std::string::npos) << nothing.err;
  const Outcome online = fetch({"org/model"});
  ASSERT_EQ(online.exit_code, 0);
  hub_.forget_requests();
  const Outcome found = fetch({"org/model"}, offline);
  EXPECT_EQ(found.exit_code, 0) << found.err;
  EXPECT_EQ(found.out, online.out);
  fs::remove(snapshot("models--org--model") / "config.json");
  EXPECT_EQ(fetch({"org/model"}, offline).exit_code, 3);
  EXPECT_TRUE(hub_.requests().empty());
}

TEST_F(FetchTest, VerifiesWhatIsThere) {
  hub_.add_model("org/model", 2, 200'000);
  hub_.start();
  ASSERT_EQ(fetch({"org/model"}).exit_code, 0);
  ASSERT_EQ(fetch({"org/model", "-o", "here"}).exit_code, 0);
  hub_.forget_requests();
  const Outcome right = fetch({"org/model", "--verify"});
  EXPECT_EQ(right.exit_code, 0) << right.err;
  EXPECT_EQ(right.out, snapshot("models--org--model").string() + "\n");
  for (const json& request : hub_.requests()) {
    EXPECT_EQ(request["path"].get<std::string>().find("safetensors"), std::string::npos) << request;
  }
  const fs::path shard = scratch_.path() / "here/model-00001-of-00002.safetensors";
  std::string bytes = read_file(shard);
  bytes[1000] = static_cast<char>(bytes[1000] ^ 1);
  scratch_.write("here/model-00001-of-00002.safetensors", bytes);
  for (const char* offline : {"0", "1"}) {
    const Outcome wrong =
        fetch({"org/model", "-o", "here", "--verify"}, {{"HF_HUB_OFFLINE", offline}});
    EXPECT_EQ(wrong.exit_code, 6) << wrong.err;
    EXPECT_NE(wrong.err.find("model-00001-of-00002.safetensors does not have the content"),
              std::string::npos)
        << wrong.err;
    EXPECT_NE(wrong.err.find("lq-fetch org/model -o here --force"), std::string::npos) << wrong.err;
  }
  EXPECT_EQ(read_file(shard), bytes) << "nothing is changed";
  EXPECT_EQ(fetch({"here", "--verify"}).exit_code, 6);
  const Outcome cached = fetch({snapshot("models--org--model"), "--verify"});
  EXPECT_EQ(cached.exit_code, 0) << cached.err;
  fs::create_directory(scratch_.path() / "other");
  const Outcome unknown = fetch({"other", "--verify"});
  EXPECT_EQ(unknown.exit_code, 3);
  EXPECT_NE(unknown.err.find("nothing in it says which repository"), std::string::npos);
  ASSERT_EQ(fetch({"org/model", "-o", "here", "--force"}).exit_code, 0);
  EXPECT_EQ(fetch({"org/model", "-o", "here", "--verify"}).exit_code, 0);
}

TEST_F(FetchTest, KeepsRightFilesThatLieInTheDirectory) {
  const Files model = hub_.add_model("org/model", 2, 200'000);
  hub_.start();
  for (const auto& [path, bytes] : model) scratch_.write("here/" + path, bytes);
  hub_.forget_requests();
  ASSERT_EQ(fetch({"org/model", "-o", "here"}).exit_code, 0);
  for (const json& request : hub_.requests()) EXPECT_NE(request["host"], "storage") << request;
  EXPECT_TRUE(
      fs::exists(scratch_.path() / "here/.cache/huggingface/download/config.json.metadata"));
}

TEST_F(FetchTest, WarnsOfCodeOfTheModelsOwn) {
  hub_.add("org/model", {{"config.json", R"({"auto_map":{"AutoModel":"modeling.py"}})"},
                         {"modeling.py", "print()"},
                         {"model.safetensors", small_safetensors(10)}});
  hub_.start();
  const Outcome made = fetch({"org/model", "-o", "here"});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_NE(made.err.find("the model has code of its own"), std::string::npos) << made.err;
  EXPECT_FALSE(fs::exists(scratch_.path() / "here/modeling.py"));
}

TEST_F(FetchTest, VariablesOfTheReferenceClientSetWhatIsSaid) {
  hub_.add_model("org/model", 1, 1000);
  hub_.start();
  const Outcome quiet = fetch({"org/model", "-o", "a"}, {{"HF_HUB_VERBOSITY", "error"}});
  EXPECT_EQ(quiet.err, "");
  const Outcome debug = fetch({"org/model", "-o", "b"}, {{"HF_DEBUG", "1"}});
  EXPECT_NE(debug.err.find("answered 200"), std::string::npos) << debug.err;
  const Outcome config =
      fetch({"org/model", "--print-config"}, {{"HF_HUB_DISABLE_PROGRESS_BARS", "1"}});
  EXPECT_NE(config.out.find("HF_HUB_DISABLE_PROGRESS_BARS"), std::string::npos) << config.out;
}

TEST_F(FetchTest, ReplacesNoFileOfTheUsers) {
  const Files model = hub_.add_model("org/model", 1, 1000);
  hub_.start();
  scratch_.write("here/README.md", "my own notes");
  const Outcome refused = fetch({"org/model", "-o", "here"});
  EXPECT_EQ(refused.exit_code, 8) << refused.err;
  EXPECT_NE(refused.err.find("a file is there that these tools did not make"), std::string::npos)
      << refused.err;
  EXPECT_EQ(read_file(scratch_.path() / "here/README.md"), "my own notes");
  ASSERT_EQ(fetch({"org/model", "-o", "here", "--force"}).exit_code, 0);
  EXPECT_EQ(files_in(scratch_.path() / "here"), model);
}

TEST_F(FetchTest, ABranchThatMovedReplacesWhatItBroughtBefore) {
  hub_.add(
      "org/model",
      {{"config.json", "{}"},
       {"tokenizer.json", "only here"},
       {"model.safetensors", small_safetensors(10)}},
      {{"commits", {{kCommit, "files"}, {kOtherCommit, "newer"}}}, {"refs", {{"main", kCommit}}}});
  hub_.start();
  ASSERT_EQ(fetch({"org/model", "-o", "here"}).exit_code, 0);
  const Files newer = {{"config.json", "{\"a\":1}"},
                       {"model.safetensors", small_safetensors(300'000, 2)}};
  for (const auto& [path, bytes] : newer) {
    fs::create_directories(hub_.root() / "org/model/newer");
    std::ofstream(hub_.root() / "org/model/newer" / path, std::ios::binary) << bytes;
  }
  hub_.faults({{{"on", "hub"}, {"path", "/revision/"}, {"set", {{"sha", kOtherCommit}}}},
               {{"on", "storage"}, {"path", "safetensors"}, {"status", 404}}});
  EXPECT_EQ(fetch({"org/model", "-o", "here"}).exit_code, 9);
  EXPECT_FALSE(fs::exists(scratch_.path() / "here/lq-manifest.json"))
      << "a mixture has no manifest";
  hub_.faults({{{"on", "hub"}, {"path", "/revision/"}, {"set", {{"sha", kOtherCommit}}}}});
  ASSERT_EQ(fetch({"org/model", "-o", "here"}).exit_code, 0);
  EXPECT_EQ(files_in(scratch_.path() / "here"), newer);
}

TEST_F(FetchTest, WithoutLinksTheSnapshotHoldsTheContent) {
  const Files files = {
      {"config.json", "{}"}, {"twin-1.txt", noise(200'000, 5)}, {"twin-2.txt", noise(200'000, 5)}};
  hub_.add("org/odd", files);
  hub_.start();
  const std::map<std::string, std::string> plain = {{"HF_HUB_DISABLE_SYMLINKS", "1"}};
  const Outcome made = fetch({"org/odd", "--include", "*"}, plain);
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(files_in(snapshot("models--org--odd")), files);
  EXPECT_FALSE(fs::is_symlink(snapshot("models--org--odd") / "twin-1.txt"));
  EXPECT_NE(fetch({"org/odd", "--include", "*"}, plain).err.find("up to date"), std::string::npos);
  fs::remove_all(cache());
  ASSERT_EQ(fetch({"org/odd", "--include", "*"}).exit_code, 0);
  fs::remove_all(snapshot("models--org--odd"));
  ASSERT_EQ(fetch({"org/odd", "--include", "*"}, plain).exit_code, 0);
  EXPECT_EQ(files_in(snapshot("models--org--odd")), files);
  EXPECT_EQ(files_in(cache() / "models--org--odd/blobs").size(), 2U) << "the blobs stay";
}

TEST_F(FetchTest, OfflineADamagedFileIsNotUpToDate) {
  hub_.add_model("org/model", 1, 200'000);
  hub_.start();
  ASSERT_EQ(fetch({"org/model", "-o", "here"}).exit_code, 0);
  const fs::path weights = scratch_.path() / "here/model.safetensors";
  std::string bytes = read_file(weights);
  bytes[1000] = static_cast<char>(bytes[1000] ^ 1);
  std::ofstream(weights, std::ios::binary) << bytes;
  EXPECT_EQ(fetch({"org/model", "-o", "here"}, {{"HF_HUB_OFFLINE", "1"}}).exit_code, 3);
}

TEST_F(FetchTest, OfflineACacheWithoutAListIsWholeByItsIndex) {
  hub_.add_model("org/model", 2, 1000);
  hub_.start();
  const Outcome online = fetch({"org/model"});
  ASSERT_EQ(online.exit_code, 0);
  fs::remove_all(cache() / "models--org--model/trees");
  fs::remove_all(cache() / "models--org--model/lq");
  const Outcome found = fetch({"org/model"}, {{"HF_HUB_OFFLINE", "1"}});
  EXPECT_EQ(found.exit_code, 0) << found.err;
  EXPECT_EQ(found.out, online.out);
  fs::remove(snapshot("models--org--model") / "model-00002-of-00002.safetensors");
  EXPECT_EQ(fetch({"org/model"}, {{"HF_HUB_OFFLINE", "1"}}).exit_code, 3);
}

TEST_F(FetchTest, RefusesTheNameOfADirectory) {
  hub_.start();
  fs::create_directories(scratch_.path() / "org/model");
  const Outcome refused = fetch({"org/model"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("there is a directory of that name here"), std::string::npos);
}

TEST_F(FetchTest, FindsADiskThatIsTooSmallBeforeTheFirstByte) {
  hub_.add("org/huge", {{"config.json", "{}"}},
           {{"extra_tree",
             {{{"type", "file"},
               {"path", "model.safetensors"},
               {"size", std::int64_t{1} << 55},
               {"oid", kCommit},
               {"lfs", {{"oid", std::string(64, 'a')}, {"size", std::int64_t{1} << 55}}}}}}});
  hub_.start();
  const Outcome refused = fetch({"org/huge"});
  EXPECT_EQ(refused.exit_code, 8) << refused.err;
  EXPECT_NE(refused.err.find("why: it needs 32.00 PiB more, and "), std::string::npos)
      << refused.err;
  EXPECT_FALSE(fs::exists(cache() / "models--org--huge/blobs"));
}

TEST_F(FetchTest, ReportsAsJson) {
  hub_.add_model("org/model", 1, 1000);
  hub_.start();
  const json made = json::parse(fetch({"org/model", "--json"}).out);
  EXPECT_EQ(made["status"], "made");
  EXPECT_EQ(made["repo"], "org/model");
  EXPECT_EQ(made["commit"], kCommit);
  EXPECT_TRUE(fs::exists(made["manifest"].get<std::string>()));
  const json failed = json::parse(fetch({"org/none", "--json"}).out);
  EXPECT_EQ(failed["status"], "failed");
  EXPECT_EQ(failed["error"]["code"], 3);
}

TEST_F(FetchTest, TheExampleMakefileFetchesBeforeItQuantizes) {
  Files model;
  for (const auto& entry : fs::directory_iterator(LQ_TEST_DATA "/tiny-llama")) {
    if (entry.is_regular_file()) model[entry.path().filename()] = read_file(entry.path());
  }
  hub_.add("org/tiny", model);
  hub_.start();
  Command make = command({});
  make.arguments = {"make",           "-f",         LQ_TEST_DATA "/../../Makefile.example",
                    "REPO=org/tiny",  "TYPES=Q8_0", "OUT=out",
                    "BIN=" LQ_BIN "/"};
  const Outcome made = run(make);
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_TRUE(fs::exists(scratch_.path() / "out/tiny-Q8_0.gguf"));
  hub_.forget_requests();
  EXPECT_EQ(run(make).exit_code, 0);
  EXPECT_TRUE(hub_.requests().empty()) << "nothing is made twice";
}

TEST_F(FetchTest, ChoosesAsThePatternsSay) {
  hub_.add_model("org/model", 2, 1000);
  hub_.start();
  ASSERT_EQ(fetch({"org/model", "-o", "a", "--include", "*.json", "--exclude", "tok*"}).exit_code,
            0);
  EXPECT_EQ(paths_of(files_in(scratch_.path() / "a")),
            (std::vector<std::string>{"config.json", "model.safetensors.index.json"}));
  EXPECT_EQ(fetch({"org/model", "-o", "b", "--include", "nothing*"}).exit_code, 3);
  EXPECT_EQ(fetch({"org/model", "-o", "c", "--include", "*.bin"}).exit_code, 3);
  EXPECT_EQ(fetch({"org/model", "-o", "c", "--include", "*.bin", "--allow-unsafe"}).exit_code, 0);
  EXPECT_EQ(paths_of(files_in(scratch_.path() / "c")),
            (std::vector<std::string>{"pytorch_model.bin"}));
}

}  // namespace
}  // namespace lq::testing

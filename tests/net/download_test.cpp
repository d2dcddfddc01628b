#include "common/net/download.h"

#include <atomic>
#include <set>

#include "common/base/errors.h"
#include "common/net/partial_file.h"
#include "tests/net/hub_test.h"

namespace lq::net {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::error_of;
using testing::kCommit;
using testing::read_file;

class DownloadTest : public HubTest {
 protected:
  static constexpr std::size_t kLarge = 9'000'000;  // above kSmallFile: with a journal

  void SetUp() override {
    model_ = hub_.add_model("org/model", 1, kLarge);
    start();
    settings_ = {.id = "org/model", .commit = kCommit, .connections = 2, .segment_bytes = 1 << 20};
    events_.received = [this](std::uint64_t bytes) { received_ += bytes; };
    events_.warning = [this](const std::string& what, const std::string& why) {
      warnings_.push_back(what + ": " + why);
    };
    events_.file_done = [this](const RepoFile& file) { done_.insert(file.path); };
  }
  DownloadTask task(const std::string& path) {
    const RepoFile file = file_of(path);
    const fs::path partial = scratch_.path() / (path + ".part");
    return {file, partial, scratch_.path() / (path + ".journal"),
            [partial, target = scratch_.path() / path] { fs::rename(partial, target); }};
  }
  void download(const std::vector<DownloadTask>& tasks) {
    hub_.forget_requests();
    received_ = 0;
    net::download(access_, tasks, settings_, events_);
  }
  void expect_there(const std::string& path) {
    EXPECT_TRUE(read_file(scratch_.path() / path) == model_.at(path)) << path;
    EXPECT_FALSE(fs::exists(scratch_.path() / (path + ".part"))) << path;
    EXPECT_FALSE(fs::exists(scratch_.path() / (path + ".journal"))) << path;
  }
  std::size_t sent_bytes() const {
    std::size_t bytes = 0;
    for (const json& request : hub_.requests()) {
      if (request["host"] == "storage") bytes += request["bytes"].get<std::size_t>();
    }
    return bytes;
  }
  /// As a run that was killed leaves it: the first bytes, and a journal that names them.
  void leave_partial(const DownloadTask& task, std::string bytes) {
    PartialFile partial(task.file, task.partial, task.journal);
    partial.write(0, std::as_bytes(std::span(bytes)));
    partial.save();
  }

  testing::ScratchDirectory scratch_;
  std::map<std::string, std::string> model_;
  DownloadSettings settings_;
  DownloadEvents events_;
  std::uint64_t received_ = 0;
  std::vector<std::string> warnings_;
  std::set<std::string> done_;
};

TEST_F(DownloadTest, BringsASmallAndALargeFile) {
  download({task("config.json"), task("model.safetensors")});
  expect_there("config.json");
  expect_there("model.safetensors");
  EXPECT_EQ(done_, (std::set<std::string>{"config.json", "model.safetensors"}));
  EXPECT_EQ(received_, model_.at("config.json").size() + model_.at("model.safetensors").size());
  EXPECT_EQ(sent_bytes(), model_.at("model.safetensors").size());
  EXPECT_TRUE(warnings_.empty());
  EXPECT_EQ(waits(), "");
}

TEST_F(DownloadTest, PutsEachOfManySmallFilesInItsPlaceOnce) {
  for (int i = 0; i < 60; ++i) model_["f" + std::to_string(i)] = std::to_string(i % 10);
  hub_.add("org/model", model_);
  settings_.connections = 8;
  std::map<std::string, std::atomic<int>> published;
  std::vector<DownloadTask> tasks;
  HubClient client(access_);
  for (const RepoFile& file : client.files("org/model", kCommit)) {
    if (!file.path.starts_with("f")) continue;
    const fs::path partial = scratch_.path() / (file.path + ".part");
    tasks.push_back({file, partial, scratch_.path() / (file.path + ".journal"),
                     [partial, target = scratch_.path() / file.path, &n = published[file.path]] {
                       ++n;
                       fs::rename(partial, target);
                     }});
  }
  ASSERT_EQ(tasks.size(), 60U);
  download(tasks);
  for (const DownloadTask& one : tasks) {
    expect_there(one.file.path);
    EXPECT_EQ(published[one.file.path], 1) << one.file.path;
  }
}

TEST_F(DownloadTest, OfNothingAsksNobody) {
  download({});
  EXPECT_TRUE(hub_.requests().empty());
}

TEST_F(DownloadTest, WrongContentIsFetchedAgainOnce) {
  hub_.faults({{{"on", "storage"}, {"times", 1}, {"range", "bytes=0-"}, {"flip", {5}}}});
  download({task("model.safetensors")});
  expect_there("model.safetensors");
  EXPECT_EQ(warnings_, std::vector<std::string>{"model.safetensors is fetched again: its content "
                                                "does not have the hash that the Hub lists"});
}

TEST_F(DownloadTest, WrongContentTwiceIsAnErrorAndLeavesNothing) {
  hub_.faults({{{"on", "storage"}, {"range", "bytes=0-"}, {"flip", {5}}}});
  const DownloadTask weights = task("model.safetensors");
  const auto error = error_of<base::ValidationError>([&] { download({weights}); });
  EXPECT_STREQ(error.what(), "cannot download model.safetensors of org/model");
  EXPECT_EQ(error.why(), "its content does not have the hash that the Hub lists, twice");
  EXPECT_TRUE(fs::is_empty(scratch_.path()));
  EXPECT_TRUE(done_.empty());
}

TEST_F(DownloadTest, GoesOnWithWhatAnEarlierRunLeft) {
  const DownloadTask weights = task("model.safetensors");
  const std::string& bytes = model_.at("model.safetensors");
  leave_partial(weights, bytes.substr(0, 5'000'000));
  download({weights});
  expect_there("model.safetensors");
  EXPECT_EQ(sent_bytes(), bytes.size() - 5'000'000);
  EXPECT_EQ(received_, bytes.size() - 5'000'000);
}

TEST_F(DownloadTest, BeginsAnewWhereItMayNotResume) {
  const DownloadTask weights = task("model.safetensors");
  const std::string& bytes = model_.at("model.safetensors");
  leave_partial(weights, bytes.substr(0, 5'000'000));
  settings_.resume = false;
  download({weights});
  expect_there("model.safetensors");
  EXPECT_EQ(sent_bytes(), bytes.size());
}

TEST_F(DownloadTest, APartialWithWrongBytesIsFoundOut) {
  const DownloadTask weights = task("model.safetensors");
  leave_partial(weights, std::string(5'000'000, 'x'));
  download({weights});
  expect_there("model.safetensors");
  EXPECT_EQ(warnings_.size(), 1U);
}

TEST_F(DownloadTest, AStopKeepsWhatCame) {
  const DownloadTask weights = task("model.safetensors");
  const std::string& bytes = model_.at("model.safetensors");
  settings_.connections = 1;
  std::atomic<bool> stop = false;
  const auto received = events_.received;
  events_.received = [&](std::uint64_t n) {
    received(n);
    if (received_ >= 3'000'000) stop = true;
  };
  access_.http.stop = [&] { return stop.load(); };
  EXPECT_THROW(download({weights}), Stopped);
  const std::uint64_t kept =
      PartialFile::bytes_kept(weights.file, weights.partial, weights.journal);
  EXPECT_EQ(kept, received_);
  EXPECT_LT(kept, bytes.size());
  access_.http.stop = {};
  download({weights});
  expect_there("model.safetensors");
  EXPECT_EQ(received_, bytes.size() - kept);
}

TEST_F(DownloadTest, TheFirstFailureEndsItAndKeepsWhatCame) {
  const DownloadTask weights = task("model.safetensors");
  hub_.faults({{{"on", "storage"}, {"skip", 3}, {"status", 503}}});
  settings_.connections = 1;
  const auto error = error_of<base::NetworkError>([&] { download({weights}); });
  EXPECT_STREQ(error.what(), "cannot download model.safetensors of org/model");
  EXPECT_NE(error.why().find("(tried 4 times)"), std::string::npos) << error.why();
  EXPECT_EQ(PartialFile::bytes_kept(weights.file, weights.partial, weights.journal), 3U << 20);
}

TEST_F(DownloadTest, AFirstFileThatCannotBeOpenedIsAFailure) {
  DownloadTask weights = task("model.safetensors");
  weights.partial = scratch_.path() / "no-such-folder" / "part";
  const auto error = error_of<base::OutputError>([&] { download({weights}); });
  EXPECT_NE(std::string(error.what()).find("no-such-folder"), std::string::npos) << error.what();
}

TEST_F(DownloadTest, AFileThatCannotBePutInItsPlaceIsAFailure) {
  DownloadTask config = task("config.json");
  config.publish = [] { throw base::OutputError("cannot write it", "no room", "make room"); };
  EXPECT_THROW(download({config, task("model.safetensors")}), base::OutputError);
  EXPECT_FALSE(done_.contains("config.json"));
}

}  // namespace
}  // namespace lq::net

// The Hub's own client (huggingface_hub) and lq-fetch, each finding complete what the other
// brought.

#include <gtest/gtest.h>

#include "tests/fetch/fetcher.h"
#include "tests/support/llama_peer.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class ReferenceTest : public FetchTest {
 protected:
  void SetUp() override {
    LQ_NEED_PEER("LQ_PEER_PYTHON");
    model_ = hub_.add_model("org/model", 2, 300'000);
    hub_.start();
  }

  /// Runs Python that prints its result.
  std::string reference(const std::string& code, bool offline) const {
    Command python = command({});
    python.arguments = {peer_path("LQ_PEER_PYTHON"), "-c",
                        "from huggingface_hub import snapshot_download, scan_cache_dir\n" + code};
    python.environment["HF_HUB_DISABLE_XET"] = "1";
    python.environment["HF_HUB_DISABLE_TELEMETRY"] = "1";
    python.environment["HF_HUB_DISABLE_PROGRESS_BARS"] = "1";
    python.environment["HF_HUB_ETAG_TIMEOUT"] = "600";  // a busy machine is no dead server
    python.environment["HF_HUB_DOWNLOAD_TIMEOUT"] = "600";
    python.environment["HF_HUB_OFFLINE"] = offline ? "1" : "0";
    for (const char* const name : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_CACHE",
                                   "HF_TOKEN_PATH", "TRANSFORMERS_OFFLINE", "SSL_CERT_FILE"}) {
      python.environment.erase(name);
    }
    const Outcome outcome = run(python);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome.out;
  }

  Files model_;
};

constexpr const char* kIgnore = "ignore_patterns=['*.bin']";

TEST_F(ReferenceTest, FindsOurCacheCompleteOffline) {
  const Outcome ours = fetch({"org/model"});
  ASSERT_EQ(ours.exit_code, 0) << ours.err;
  EXPECT_EQ(reference(std::string("print(snapshot_download('org/model', ") + kIgnore + "))", true),
            ours.out);
  EXPECT_EQ(reference("cache = scan_cache_dir()\n"
                      "print(len(cache.repos), len(cache.warnings), "
                      "len(list(list(cache.repos)[0].revisions)[0].files))",
                      true),
            "1 0 " + std::to_string(model_.size()) + "\n");
}

TEST_F(ReferenceTest, FetchesNothingOfWhatOurCacheHas) {
  ASSERT_EQ(fetch({"org/model"}).exit_code, 0);
  hub_.forget_requests();
  reference(std::string("print(snapshot_download('org/model', ") + kIgnore + "))", false);
  EXPECT_EQ(storage_bytes(), 0U);
}

TEST_F(ReferenceTest, RecognisesOurDirectory) {
  ASSERT_EQ(fetch({"org/model", "-o", "here"}).exit_code, 0);
  hub_.forget_requests();
  reference(std::string("print(snapshot_download('org/model', local_dir='here', ") + kIgnore + "))",
            false);
  EXPECT_EQ(storage_bytes(), 0U);
  EXPECT_EQ(files_in(scratch_.path() / "here"), model_);
}

TEST_F(ReferenceTest, LeavesACacheThatWeFindComplete) {
  const std::string theirs =
      reference(std::string("print(snapshot_download('org/model', ") + kIgnore + "))", false);
  hub_.forget_requests();
  // Before our own run leaves notes of its own.
  const Outcome offline = fetch({"org/model"}, {{"HF_HUB_OFFLINE", "1"}});
  EXPECT_EQ(offline.exit_code, 0) << offline.err;
  EXPECT_EQ(offline.out, theirs);
  EXPECT_TRUE(hub_.requests().empty());
  const Outcome ours = fetch({"org/model"});
  EXPECT_EQ(ours.exit_code, 0) << ours.err;
  EXPECT_EQ(ours.out, theirs);
  EXPECT_EQ(storage_bytes(), 0U);
}

TEST_F(ReferenceTest, LeavesADirectoryThatWeFindComplete) {
  reference(std::string("print(snapshot_download('org/model', local_dir='here', ") + kIgnore + "))",
            false);
  hub_.forget_requests();
  EXPECT_EQ(fetch({"org/model", "-o", "here"}).exit_code, 0);
  EXPECT_EQ(storage_bytes(), 0U);
  EXPECT_EQ(files_in(scratch_.path() / "here"), model_);
}

TEST_F(ReferenceTest, KeepsAFlippedByteThatWeFetchAgain) {
  hub_.faults({{{"on", "storage"}, {"path", "00001"}, {"times", 1}, {"flip", {5000}}}});
  reference(std::string("print(snapshot_download('org/model', ") + kIgnore + "))", false);
  EXPECT_NE(files_in(snapshot("models--org--model")), model_);
  const Outcome ours = fetch({"org/model"});
  EXPECT_EQ(ours.exit_code, 0) << ours.err;
  EXPECT_EQ(files_in(snapshot("models--org--model")), model_);
}

}  // namespace
}  // namespace lq::testing

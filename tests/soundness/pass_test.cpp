#include "common/soundness/pass.h"

#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <random>
#include <string>

#include "common/io/digest.h"
#include "tests/support/scratch.h"

namespace lq::soundness {
namespace {

using testing::ScratchDirectory;

std::string random_bytes(std::size_t n) {
  std::mt19937_64 random(n);
  std::string bytes(n, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

/// Puts the pieces together again.
class Collected final : public Check {
 public:
  Collected(std::size_t n_bytes, std::size_t unit) : bytes_(n_bytes, '\0'), unit_(unit) {}
  void look(std::uint64_t first, std::span<const std::byte> bytes) override {
    const std::lock_guard lock(mutex_);
    are_whole_ &= first % unit_ == 0 && bytes.size() % unit_ == 0 && !bytes.empty();
    n_ += bytes.size();
    bytes_.replace(first, bytes.size(), reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  const std::string& bytes() const { return bytes_; }
  bool are_whole() const { return are_whole_ && n_ == bytes_.size(); }

 private:
  std::string bytes_;
  const std::size_t unit_;
  std::mutex mutex_;
  std::size_t n_ = 0;
  bool are_whole_ = true;
};

TEST(Pass, HashesFilesAndHandsOutWholeUnitsOnce) {
  const ScratchDirectory scratch;
  const std::string bytes = random_bytes(11'000'001);
  // Units that cross the edges of windows, from small to more than a window.
  const std::array<Segment, 3> places = {{{100, 3'000'000, 7500, nullptr},
                                          {3'000'101, 144 * 10'000, 144, nullptr},
                                          {5'000'000, 6'000'000, 6'000'000, nullptr}}};
  for (const int n_threads : {1, 3}) {
    std::vector<FileJob> jobs(3);
    std::vector<std::unique_ptr<Collected>> checks;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      jobs[i].path = scratch.write(std::to_string(i), bytes);
      jobs[i].hash = i != 1;
      for (Segment place : places) {
        checks.push_back(std::make_unique<Collected>(place.n_bytes, place.unit));
        place.check = checks.back().get();
        jobs[i].segments.push_back(place);
      }
    }
    int n_calls = 0;
    run_pass(jobs, n_threads, [&] { ++n_calls; });
    EXPECT_GT(n_calls, 0);
    const std::string hash = io::sha256_hex(std::as_bytes(std::span(bytes)));
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      EXPECT_EQ(jobs[i].sha256, jobs[i].hash ? hash : "");
      EXPECT_EQ(jobs[i].size, bytes.size());
      for (std::size_t s = 0; s < places.size(); ++s) {
        const Collected& check = *checks[i * places.size() + s];
        EXPECT_TRUE(check.are_whole()) << s;
        EXPECT_EQ(check.bytes(), bytes.substr(places[s].offset, places[s].n_bytes)) << s;
      }
    }
  }
}

TEST(Pass, LeavesUnitsAloneThatAreTooLarge) {
  const ScratchDirectory scratch;
  std::vector<FileJob> jobs(1);
  Collected check(kLargestUnit + 1, kLargestUnit + 1);
  jobs[0].path = scratch.write("file", std::string(kLargestUnit + 1, 'x'));
  jobs[0].segments = {{0, kLargestUnit + 1, kLargestUnit + 1, &check}};
  run_pass(jobs, 2, {});
  EXPECT_FALSE(check.are_whole());
}

TEST(Pass, TellsOfFilesThatCannotBeRead) {
  const ScratchDirectory scratch;
  std::vector<FileJob> jobs(2);
  jobs[0].path = scratch.path() / "missing";
  jobs[0].hash = true;
  jobs[1].path = scratch.write("empty", "");
  jobs[1].hash = true;
  run_pass(jobs, 2, {});
  ASSERT_EQ(jobs[0].errors.size(), 1u);
  EXPECT_EQ(jobs[0].sha256, "");
  EXPECT_TRUE(jobs[1].errors.empty());
  EXPECT_EQ(jobs[1].sha256, io::sha256_hex({}));
}

TEST(Pass, EndsWithWhatKeepGoingThrows) {
  const ScratchDirectory scratch;
  std::vector<FileJob> jobs(1);
  jobs[0].path = scratch.write("file", "text");
  jobs[0].hash = true;
  EXPECT_THROW(run_pass(jobs, 1, [] { throw std::runtime_error("stop"); }), std::runtime_error);
}

}  // namespace
}  // namespace lq::soundness

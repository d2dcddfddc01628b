#include "common/stage/known_hashes.h"

#include <gtest/gtest.h>

#include "common/io/file_status.h"
#include "common/stage/existing_result.h"
#include "tests/stage/toy.h"

namespace lq::stage::testing {
namespace {

using lq::testing::ScratchDirectory;

TEST(KnownHashes, ReadsAFileAgainOnlyWhenItChanged) {
  const ScratchDirectory scratch;
  const auto path = scratch.write("x", std::string((2 << 20) + 1, 'a'));
  int blocks = 0;
  KnownHashes hashes([&blocks] { ++blocks; });
  const std::string first = hashes.of_file(path);
  EXPECT_EQ(first, hash_of(std::string((2 << 20) + 1, 'a')));
  EXPECT_EQ(blocks, 3);
  EXPECT_EQ(hashes.of_file(path), first);
  EXPECT_EQ(blocks, 3);
  overwrite(path, "b");
  EXPECT_EQ(hashes.of_file(path), hash_of("b"));
  io::set_mtime(path, 5);
  EXPECT_EQ(hashes.of_file(path), hash_of("b"));
  EXPECT_EQ(blocks, 5);
}

TEST(KnownHashes, ATouchedResultIsReadOnceInARun) {
  const ScratchDirectory scratch;
  const Plan plan = toy_plan(scratch.path() / "x");
  run_toy(plan);
  io::set_mtime(scratch.path() / "x", 1'700'000'000'000'000'000);
  int blocks = 0;
  KnownHashes hashes([&blocks] { ++blocks; });
  const ResultPaths paths = paths_of(plan.results[0], {});
  for (int look = 0; look < 3; ++look) {
    EXPECT_TRUE(examine_existing(plan.results[0], paths, hashes).current);
  }
  EXPECT_EQ(blocks, 1);
}

}  // namespace
}  // namespace lq::stage::testing

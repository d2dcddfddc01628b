#include "common/net/partial_file.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/io/file_status.h"
#include "tests/support/scratch.h"

namespace lq::net {
namespace {

class PartialFileTest : public ::testing::Test {
 protected:
  PartialFile open() { return {file_, partial_, journal_}; }
  void write(PartialFile& file, std::uint64_t offset, std::size_t n) {
    file.write(offset, std::vector<std::byte>(n, std::byte{7}));
  }

  testing::ScratchDirectory scratch_;
  RepoFile file_{
      .path = "x", .size = 1000, .blob_id = std::string(40, 'a'), .sha256 = "", .xet_hash = ""};
  std::filesystem::path partial_ = scratch_.path() / "x.lq.incomplete";
  std::filesystem::path journal_ = scratch_.path() / "x.lq.journal";
};

TEST_F(PartialFileTest, KeepsWhatItsJournalNames) {
  {
    PartialFile file = open();
    EXPECT_EQ(io::file_status(partial_)->size, 1000U);
    write(file, 0, 100);
    write(file, 500, 10);
    file.save();
    write(file, 700, 10);  // after the journal was written
  }
  EXPECT_EQ(PartialFile::bytes_kept(file_, partial_, journal_), 110U);
  PartialFile again = open();
  EXPECT_EQ(again.prefix(), 100U);
  EXPECT_EQ(again.done().ranges(), (std::vector<Extent>{{0, 100}, {500, 510}}));
  std::vector<std::byte> bytes(10);
  again.read(500, bytes);
  EXPECT_EQ(bytes, std::vector<std::byte>(10, std::byte{7}));
  again.finish();
  EXPECT_FALSE(std::filesystem::exists(journal_));
}

TEST_F(PartialFileTest, TakesNoJournalThatIsNotOfThisFile) {
  {
    PartialFile file = open();
    write(file, 0, 100);
    file.save();
  }
  const nlohmann::json good = nlohmann::json::parse(testing::read_file(journal_));
  const std::vector<nlohmann::json> changes = {
      {{"format", 2}},       {{"size", 999}},         {{"etag", "b"}},      {{"done", nullptr}},
      {{"done", 5}},         {{"done", {{1, 2, 3}}}}, {{"done", {{5, 5}}}}, {{"done", {{0, 1001}}}},
      {{"done", {{-1, 5}}}}, {{"done", {"x"}}}};
  for (const nlohmann::json& change : changes) {
    nlohmann::json journal = good;
    journal.update(change);
    scratch_.write("x.lq.journal", journal.dump());
    EXPECT_EQ(PartialFile::bytes_kept(file_, partial_, journal_), 0U) << change;
  }
  for (const char* text : {"", "{", "[]", "7"}) {
    scratch_.write("x.lq.journal", text);
    EXPECT_EQ(open().done().total(), 0U) << text;
  }
  scratch_.write("x.lq.journal", good.dump());
  EXPECT_EQ(PartialFile::bytes_kept(file_, partial_, journal_), 100U);
  std::filesystem::resize_file(partial_, 500);
  EXPECT_EQ(open().done().total(), 0U) << "a partial of another size";
}

TEST_F(PartialFileTest, ForgetsWhatIsDiscarded) {
  PartialFile file = open();
  write(file, 0, 100);
  file.save();
  file.discard();
  EXPECT_EQ(file.done().total(), 0U);
  EXPECT_FALSE(std::filesystem::exists(journal_));
  write(file, 0, 100);
  file.save();
  EXPECT_TRUE(std::filesystem::exists(journal_));
}

}  // namespace
}  // namespace lq::net

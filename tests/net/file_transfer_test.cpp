#include "common/net/file_transfer.h"

#include <gtest/gtest.h>
#include <thread>

#include "common/io/digest.h"
#include "tests/support/scratch.h"

namespace lq::net {
namespace {

using testing::read_file;

class FileTransferTest : public ::testing::Test {
 protected:
  FileTransferTest() {
    io::Digest hash(io::Digest::Algorithm::kSha256);
    hash.update(content_);
    task_.file = {
        .path = "x", .size = content_.size(), .blob_id = "", .sha256 = hash.hex(), .xet_hash = ""};
    task_.partial = scratch_.path() / "x.part";
    task_.journal = scratch_.path() / "x.journal";
    task_.publish = [this] { std::filesystem::rename(task_.partial, scratch_.path() / "x"); };
    transfer_ = std::make_shared<FileTransfer>(task_, kSegment, true);
  }
  std::span<const std::byte> bytes(std::uint64_t begin, std::uint64_t n) const {
    return std::as_bytes(std::span(content_)).subspan(begin, n);
  }
  void hash_all() {
    std::vector<std::byte> buffer(1 << 20);
    while (transfer_->hash_some(buffer)) {
    }
  }

  static constexpr std::uint64_t kSegment = 4'000'000;
  const std::string content_ = std::string(5'000'000, 'a') + std::string(5'000'000, 'b');
  testing::ScratchDirectory scratch_;
  DownloadTask task_;
  std::shared_ptr<FileTransfer> transfer_;
};

TEST_F(FileTransferTest, GivesEachPieceToOne) {
  auto first = Piece::take(transfer_), second = Piece::take(transfer_);
  auto third = Piece::take(transfer_);
  EXPECT_EQ(first->left(), (Extent{0, 4'000'000}));
  EXPECT_EQ(second->left(), (Extent{4'000'000, 8'000'000}));
  EXPECT_EQ(third->left(), (Extent{8'000'000, 10'000'000}));
  EXPECT_FALSE(Piece::take(transfer_));
  EXPECT_EQ(third->write(bytes(8'000'000, 2'000'000)), 2'000'000U);
  EXPECT_EQ(second->write(bytes(4'000'000, 4'000'000)), 4'000'000U);
  EXPECT_EQ(first->write(bytes(0, 4'000'000)), 4'000'000U);
  EXPECT_EQ(first->left().size(), 0U);
  hash_all();
  EXPECT_FALSE(transfer_->is_complete()) << "who is at it could write";
  first.reset(), second.reset(), third.reset();
  ASSERT_TRUE(transfer_->is_complete());
  EXPECT_TRUE(transfer_->is_right());
  transfer_->publish();
  EXPECT_TRUE(read_file(scratch_.path() / "x") == content_);
}

TEST_F(FileTransferTest, OnePieceMayBecomeTheWhole) {
  auto first = Piece::take(transfer_), second = Piece::take(transfer_);
  EXPECT_EQ(second->write(bytes(4'000'000, 1000)), 1000U);
  ASSERT_TRUE(first->take_whole());
  EXPECT_EQ(first->left(), (Extent{0, 10'000'000}));
  EXPECT_FALSE(second->is_wanted());
  EXPECT_FALSE(second->take_whole());
  EXPECT_EQ(second->write(bytes(0, 1000)), std::nullopt) << "wrong bytes over hashed ones";
  EXPECT_FALSE(Piece::take(transfer_));
  EXPECT_EQ(first->write(bytes(0, 10'000'000)), 10'000'000U);
  hash_all();
  first.reset();
  EXPECT_TRUE(transfer_->is_complete()) << "although the other one is still there";
  EXPECT_TRUE(transfer_->is_right());
}

TEST_F(FileTransferTest, NeverWritesTwiceWhatMayBeHashed) {
  auto piece = Piece::take(transfer_);
  piece->write(bytes(0, 1000));
  ASSERT_TRUE(piece->take_whole());
  EXPECT_EQ(piece->write(std::vector<std::byte>(1500, std::byte{'x'})), 500U);
  std::vector<std::byte> buffer(2000);
  transfer_->hash_some(buffer);
  EXPECT_EQ(buffer[999], std::byte{'a'});
  EXPECT_EQ(buffer[1000], std::byte{'x'});
}

TEST_F(FileTransferTest, APieceOfBeforeARestartIsNotWanted) {
  auto old = Piece::take(transfer_);
  {
    auto other = Piece::take(transfer_);
    ASSERT_TRUE(other->take_whole());
    other->write(std::vector<std::byte>(content_.size(), std::byte{'x'}));
  }
  hash_all();
  ASSERT_TRUE(transfer_->is_complete());
  EXPECT_FALSE(transfer_->is_right());
  transfer_->restart();
  EXPECT_EQ(transfer_->times_restarted(), 1);
  EXPECT_FALSE(old->is_wanted());
  auto again = Piece::take(transfer_);
  EXPECT_EQ(again->left(), (Extent{0, 4'000'000}));
  old.reset();
  EXPECT_FALSE(transfer_->is_complete());
  ASSERT_TRUE(again->take_whole());
  again->write(bytes(0, content_.size()));
  hash_all();
  again.reset();
  EXPECT_TRUE(transfer_->is_complete());
  EXPECT_TRUE(transfer_->is_right());
  transfer_->abandon();
  EXPECT_FALSE(std::filesystem::exists(task_.partial));
}

TEST_F(FileTransferTest, NobodyWritesOnceOneHasTakenTheWhole) {
  auto first = Piece::take(transfer_), second = Piece::take(transfer_);
  std::jthread writer([&] {
    const std::vector<std::byte> wrong(1000, std::byte{'x'});
    while (second->left().size() >= wrong.size() && second->write(wrong)) {
    }
  });
  ASSERT_TRUE(first->take_whole());
  ASSERT_TRUE(first->write(bytes(0, content_.size())));
  writer.join();
  hash_all();
  first.reset();
  EXPECT_TRUE(transfer_->is_complete());
  EXPECT_TRUE(transfer_->is_right()) << "a write that came late";
}

}  // namespace
}  // namespace lq::net

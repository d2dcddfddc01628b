#include "common/io/zstd.h"

#include <cstring>
#include <gtest/gtest.h>
#include <string>

#include "tests/support/scratch.h"

namespace lq::io {
namespace {

using testing::error_of;
using testing::ScratchDirectory;

std::string frame(const std::string& text) {
  const std::vector<std::byte> bytes = zstd_frame(std::as_bytes(std::span(text)), 3);
  std::string frame(bytes.size(), '\0');
  std::memcpy(frame.data(), bytes.data(), bytes.size());
  return frame;
}

class Zstd : public ::testing::Test {
 protected:
  std::string read(const std::string& file, std::size_t skipped, std::size_t n) {
    const InputFile input(scratch_.write("file.zst", file));
    ZstdReader reader(input);
    reader.skip(skipped);
    std::string out(n, '\0');
    reader.read(std::as_writable_bytes(std::span(out)));
    EXPECT_EQ(reader.position(), skipped + n);
    return out;
  }

  ScratchDirectory scratch_;
  const std::string text_ = [] {
    std::string text;
    for (std::uint64_t i = 0; i < 100'000; ++i) text += std::to_string(i * i % 1000);
    return text;
  }();
};

TEST_F(Zstd, ReadsFramesOneAfterTheOther) {
  const std::string file = frame(text_) + frame("") + frame("the end");
  EXPECT_LT(file.size(), text_.size());
  EXPECT_EQ(read(file, 0, text_.size()), text_);
  EXPECT_EQ(read(file, 5, 7), text_.substr(5, 7));
  EXPECT_EQ(read(file, text_.size() - 2, 9), text_.substr(text_.size() - 2) + "the end");
  EXPECT_EQ(read(file, 0, 0), "");
}

TEST_F(Zstd, VouchesForABeginningByTheFrameThatItIsOf) {
  std::string file = frame(text_) + frame("more");
  const auto begin = [&](std::size_t n) {
    const InputFile input(scratch_.write("file.zst", file));
    ZstdReader reader(input);
    reader.skip(n);
    reader.finish_frame();
    return reader.position();
  };
  EXPECT_EQ(begin(0), 0U);
  EXPECT_EQ(begin(10), text_.size());
  EXPECT_EQ(begin(text_.size()), text_.size());
  file[frame(text_).size() - 1] ^= 1;  // of the checksum
  EXPECT_THROW(begin(10), base::ValidationError);
  file.resize(frame(text_).size() - 2);
  EXPECT_THROW(begin(10), base::ValidationError);
}

TEST_F(Zstd, NamesWhereAFileEnds) {
  const auto error = error_of<base::ValidationError>([&] { read(frame("short"), 0, 6); });
  EXPECT_NE(std::string(error.what()).find("file.zst"), std::string::npos);
  EXPECT_EQ(error.why(), "behind byte 5 of its content: the file ends early");
  EXPECT_THROW(read("", 0, 1), base::ValidationError);
}

TEST_F(Zstd, RefusesWhatIsDamaged) {
  std::string file = frame(text_);
  file[file.size() / 2] = static_cast<char>(file[file.size() / 2] ^ 1);
  EXPECT_THROW(read(file, 0, text_.size()), base::ValidationError);
  EXPECT_THROW(read("no zstd at all, whatever it may be", 0, 1), base::ValidationError);
  file = frame("checked");
  file.back() = static_cast<char>(file.back() ^ 1);  // of the checksum
  EXPECT_THROW(read(file + frame("more"), 0, 11), base::ValidationError);
}

}  // namespace
}  // namespace lq::io

#pragma once
// Zstandard through libzstd: frames of bytes in memory, and files of one or more frames read in
// order.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/io/input_file.h"

namespace lq::io {

/// One frame, with a checksum of its content. Frames put together are what zstd takes for one file.
std::vector<std::byte> zstd_frame(std::span<const std::byte> bytes, int level);

/// The content of a compressed file from its beginning on.
class ZstdReader {
 public:
  /// `file` is referred to.
  explicit ZstdReader(const InputFile& file);
  ~ZstdReader();
  ZstdReader(const ZstdReader&) = delete;
  ZstdReader& operator=(const ZstdReader&) = delete;

  /// The next out.size() bytes. Throws ValidationError where the file is damaged or ends before.
  void read(std::span<std::byte> out);
  void skip(std::uint64_t n);
  /// Reads on to the end of the frame that the last byte was of, whose checksum vouches for what was
  /// read. Throws as read().
  void finish_frame();
  /// Bytes of content read or skipped so far.
  std::uint64_t position() const { return position_; }

 private:
  struct State;

  /// One call of the library; more input is read where it needs some. Returns whether it ended a
  /// frame.
  bool decompress_some(std::span<std::byte> out, std::size_t& done);

  const InputFile& file_;
  std::unique_ptr<State> state_;
  std::uint64_t position_ = 0;
  bool at_frame_end_ = true;
};

}  // namespace lq::io

#include "common/io/zstd.h"

#include <algorithm>
#include <fmt/format.h>
#include <new>
#include <zstd.h>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::io {
namespace {

struct FreeCompression {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeDecompression {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

[[noreturn]] void fail(const InputFile& file, std::uint64_t position, const std::string& why) {
  throw base::ValidationError(fmt::format("cannot read {}", base::shown(file.path())),
                              fmt::format("behind byte {} of its content: {}", position, why),
                              "the file is damaged: make it again");
}

}  // namespace

std::vector<std::byte> zstd_frame(std::span<const std::byte> bytes, int level) {
  const std::unique_ptr<ZSTD_CCtx, FreeCompression> context(ZSTD_createCCtx());
  if (context == nullptr) throw std::bad_alloc();
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::vector<std::byte> frame(ZSTD_compressBound(bytes.size()));
  const std::size_t size =
      ZSTD_compress2(context.get(), frame.data(), frame.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size) != 0) throw std::bad_alloc();  // the one failure that is left
  frame.resize(size);
  return frame;
}

struct ZstdReader::State {
  std::unique_ptr<ZSTD_DCtx, FreeDecompression> context{ZSTD_createDCtx()};
  std::vector<std::byte> block = std::vector<std::byte>(ZSTD_DStreamInSize());
  std::vector<std::byte> skipped = {};
  ZSTD_inBuffer in = {block.data(), 0, 0};
  std::uint64_t file_position = 0;
};

ZstdReader::ZstdReader(const InputFile& file) : file_(file), state_(std::make_unique<State>()) {
  if (state_->context == nullptr) throw std::bad_alloc();
}

ZstdReader::~ZstdReader() = default;

bool ZstdReader::decompress_some(std::span<std::byte> out, std::size_t& done) {
  State& state = *state_;
  ZSTD_outBuffer wanted = {out.data(), out.size(), done};
  const std::size_t consumed = state.in.pos;
  const std::size_t hint = ZSTD_decompressStream(state.context.get(), &wanted, &state.in);
  if (ZSTD_isError(hint) != 0) fail(file_, position_, ZSTD_getErrorName(hint));
  const bool stuck = wanted.pos == done && state.in.pos == consumed;
  done = wanted.pos;
  if (hint == 0) return true;
  if (!stuck || state.in.pos < state.in.size) return false;
  const std::uint64_t left = file_.size() - state.file_position;
  if (left == 0) fail(file_, position_ + done, "the file ends early");
  const auto piece =
      std::span(state.block).first(std::min<std::uint64_t>(left, state.block.size()));
  file_.read_at(state.file_position, piece);
  state.file_position += piece.size();
  state.in = {state.block.data(), piece.size(), 0};
  return false;
}

void ZstdReader::read(std::span<std::byte> out) {
  for (std::size_t done = 0; done < out.size();) at_frame_end_ = decompress_some(out, done);
  position_ += out.size();
}

void ZstdReader::finish_frame() {
  state_->skipped.resize(std::size_t{1} << 16);
  while (!at_frame_end_) {
    std::size_t done = 0;
    at_frame_end_ = decompress_some(state_->skipped, done);
    position_ += done;
  }
}

void ZstdReader::skip(std::uint64_t n) {
  state_->skipped.resize(std::size_t{1} << 16);
  for (std::uint64_t left = n; left > 0;) {
    const auto piece =
        std::span(state_->skipped).first(std::min<std::uint64_t>(left, state_->skipped.size()));
    read(piece);
    left -= piece.size();
  }
}

}  // namespace lq::io

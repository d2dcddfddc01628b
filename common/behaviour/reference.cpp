#include "common/behaviour/reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "common/behaviour/prediction_rows.h"
#include "common/behaviour/probability_codes.h"
#include "common/behaviour/reference_header.h"
#include "common/io/atomic_file.h"
#include "common/io/xxh3.h"
#include "common/parallel/parallel_for.h"

namespace lq::behaviour {
namespace {

constexpr std::size_t kStripRows = 32;

/// Where the arrays of a strip lie.
struct StripLayout {
  std::size_t n, vocabulary;

  std::size_t top() const { return n * sizeof(float); }
  std::size_t rest() const { return top() + n * sizeof(std::int32_t); }
  std::size_t low(std::size_t row) const { return rest() + n * sizeof(float) + row * vocabulary; }
  std::size_t high(std::size_t row) const { return low(n + row); }
  std::size_t bytes() const { return low(2 * n); }
};

template <class T>
void put(std::span<std::byte> to, std::size_t offset, T value) {
  std::memcpy(to.data() + offset, &value, sizeof value);
}
template <class T>
T get(std::span<const std::byte> from, std::size_t offset) {
  T value;
  std::memcpy(&value, from.data() + offset, sizeof value);
  return value;
}

std::vector<std::byte> encode_strip(const PredictionBlock& block, std::size_t first,
                                    std::size_t n) {
  const StripLayout layout{n, block.logits.size() / block.n};
  std::vector<std::byte> bytes(layout.bytes());
  std::vector<std::uint16_t> codes(layout.vocabulary);
  for (std::size_t row = 0; row < n; ++row) {
    const std::size_t of_block = first + row;
    const float rest = encode_probabilities(block.row(of_block), block.log_sum[of_block], codes);
    put(bytes, row * sizeof(float), static_cast<float>(block.loss[of_block]));
    put(bytes, layout.top() + row * sizeof(std::int32_t), block.top[of_block]);
    put(bytes, layout.rest() + row * sizeof(float), rest);
    for (std::size_t i = 0; i < codes.size(); ++i) {
      bytes[layout.low(row) + i] = static_cast<std::byte>(codes[i] & 0xFFU);
      bytes[layout.high(row) + i] = static_cast<std::byte>(codes[i] >> 8U);
    }
  }
  return io::zstd_frame(bytes, kReferenceLevel);
}

}  // namespace

void save_reference(const std::filesystem::path& path, const ReferenceFacts& facts,
                    Predictions& predictions, int n_threads) {
  io::AtomicFile file(path);
  io::Xxh3 hash;
  const auto write = [&](std::span<const std::byte> bytes) {
    hash.update(bytes);
    file.write(bytes);
  };
  write(encode_header(facts));
  PredictionBlock block;
  for (std::size_t i = 0; i < predictions.n_blocks(); ++i) {
    predictions.read(i, block);
    std::vector<std::vector<std::byte>> strips((block.n + kStripRows - 1) / kStripRows);
    parallel::parallel_for(strips.size(), n_threads, [&](std::size_t strip, int) {
      const std::size_t first = strip * kStripRows;
      strips[strip] = encode_strip(block, first, std::min(kStripRows, block.n - first));
    });
    for (const std::vector<std::byte>& strip : strips) write(strip);
  }
  file.write(encode_trailer(hash.hex()));
  file.commit();
}

SavedReference::SavedReference(const std::filesystem::path& path, const ReferenceFacts& expected,
                               int n_threads)
    : file_(path), n_threads_(n_threads) {
  require_checksum(file_);
  io::ZstdReader reader(file_);
  facts_ = read_header(path, reader);
  require_facts(path, facts_, expected);
}

void SavedReference::read(std::size_t i, PredictionBlock& block) {
  if (i == 0) {
    reader_.emplace(file_);
    read_header(file_.path(), *reader_);
  }
  const auto [first, n] = range(i);
  block.resize(first, n, vocabulary());
  for (std::size_t row = 0; row < n; row += kStripRows) {
    read_strip(row, std::min(kStripRows, n - row), block);
  }
}

void SavedReference::read_strip(std::size_t first, std::size_t n, PredictionBlock& block) {
  const StripLayout layout{n, vocabulary()};
  strip_.resize(layout.bytes());
  reader_->read(strip_);
  reader_->finish_frame();
  parallel::parallel_for(n, n_threads_, [&](std::size_t row, int) {
    const auto loss = get<float>(strip_, row * sizeof(float));
    const auto top = get<std::int32_t>(strip_, layout.top() + row * sizeof(std::int32_t));
    const auto rest = get<float>(strip_, layout.rest() + row * sizeof(float));
    std::vector<std::uint16_t> codes(vocabulary());
    std::uint16_t most = 0;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      codes[i] =
          static_cast<std::uint16_t>(std::to_integer<unsigned>(strip_[layout.low(row) + i]) +
                                     256 * std::to_integer<unsigned>(strip_[layout.high(row) + i]));
      most = std::max(most, codes[i]);
    }
    if (most > kMostCode || !std::isfinite(loss) || !(rest >= 0 && rest <= 1)) {
      refuse_damaged_reference(file_.path(), "it has values that no prediction has");
    }
    const std::size_t of_block = first + row;
    const std::span log_p = std::span(block.logits).subspan(of_block * vocabulary(), vocabulary());
    decode_probabilities(codes, rest, log_p);
    block.log_sum[of_block] = log_sum_exp(log_p);
    block.loss[of_block] = double{loss};
    block.top[of_block] = top;
  });
}

}  // namespace lq::behaviour

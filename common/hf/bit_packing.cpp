#include "common/hf/bit_packing.h"

#include <algorithm>
#include <cassert>

#include "common/kernels/transpose.h"
#include "common/parallel/parallel_for.h"

namespace lq::hf {
namespace {

// Work is handed to threads in strips of this many rows.
constexpr std::size_t kStripRows = 64;

/// body(first, n) for strips of `rows` rows.
template <class Body>
void for_strips(std::size_t rows, int n_threads, const Body& body) {
  parallel::parallel_for((rows + kStripRows - 1) / kStripRows, n_threads,
                         [&](std::size_t strip, int) {
                           const std::size_t first = strip * kStripRows;
                           body(first, std::min(kStripRows, rows - first));
                         });
}

/// kBits words hold 32 codes, whatever the number of bits.
template <int kBits>
void pack_block(const std::uint8_t* codes, std::uint32_t* words) {
  std::uint64_t pending = 0;  // bits that have no word yet, at most 31 + 8
  int n_pending = 0;
  for (int i = 0; i < kWordBits; ++i) {
    pending |= std::uint64_t{codes[i]} << n_pending;
    n_pending += kBits;
    if (n_pending < kWordBits) continue;
    *words++ = static_cast<std::uint32_t>(pending);
    pending >>= kWordBits;
    n_pending -= kWordBits;
  }
}

template <int kBits>
void unpack_block(const std::uint32_t* words, std::uint8_t* codes) {
  constexpr std::uint64_t kMask = (std::uint64_t{1} << kBits) - 1;
  std::uint64_t pending = 0;
  int n_pending = 0;
  for (int i = 0; i < kWordBits; ++i) {
    if (n_pending < kBits) {
      pending |= std::uint64_t{*words++} << n_pending;
      n_pending += kWordBits;
    }
    codes[i] = static_cast<std::uint8_t>(pending & kMask);
    pending >>= kBits;
    n_pending -= kBits;
  }
}

template <int kBits>
void pack_row(const std::uint8_t* codes, std::size_t n, std::uint32_t* words) {
  std::size_t i = 0;
  for (; i + kWordBits <= n; i += kWordBits, words += kBits) pack_block<kBits>(codes + i, words);
  if (i == n) return;
  std::uint8_t rest[kWordBits] = {};
  std::uint32_t rest_words[kBits];
  std::copy_n(codes + i, n - i, rest);
  pack_block<kBits>(rest, rest_words);
  std::copy_n(rest_words, packed_words(n - i, kBits), words);
}

template <int kBits>
void unpack_row(const std::uint32_t* words, std::size_t n, std::uint8_t* codes) {
  std::size_t i = 0;
  for (; i + kWordBits <= n; i += kWordBits, words += kBits) unpack_block<kBits>(words, codes + i);
  if (i == n) return;
  std::uint8_t rest[kWordBits];
  std::uint32_t rest_words[kBits] = {};
  std::copy_n(words, packed_words(n - i, kBits), rest_words);
  unpack_block<kBits>(rest_words, rest);
  std::copy_n(rest, n - i, codes + i);
}

using PackRow = void (*)(const std::uint8_t*, std::size_t, std::uint32_t*);
using UnpackRow = void (*)(const std::uint32_t*, std::size_t, std::uint8_t*);

PackRow pack_row_of(int bits) {
  assert(bits == 2 || bits == 3 || bits == 4 || bits == 8);
  return bits == 2 ? pack_row<2> : bits == 3 ? pack_row<3> : bits == 4 ? pack_row<4> : pack_row<8>;
}

UnpackRow unpack_row_of(int bits) {
  assert(bits == 2 || bits == 3 || bits == 4 || bits == 8);
  return bits == 2   ? unpack_row<2>
         : bits == 3 ? unpack_row<3>
         : bits == 4 ? unpack_row<4>
                     : unpack_row<8>;
}

template <class Element>
std::vector<Element> transposed_by_kernel(std::span<const Element> x, std::size_t rows,
                                          std::size_t columns, int n_threads) {
  assert(x.size() == rows * columns);
  std::vector<Element> out(x.size());
  const std::span<const std::byte> from = std::as_bytes(x);
  const std::span<std::byte> to = std::as_writable_bytes(std::span(out));
  for_strips(rows, n_threads, [&](std::size_t first, std::size_t n) {
    kernels::transpose(from.data() + first * columns * sizeof(Element), sizeof(Element), n, columns,
                       columns * sizeof(Element), to.data() + first * sizeof(Element),
                       rows * sizeof(Element));
  });
  return out;
}

}  // namespace

std::size_t packed_words(std::size_t n, int bits) {
  return (n * static_cast<std::size_t>(bits) + kWordBits - 1) / kWordBits;
}

std::vector<std::uint32_t> pack(std::span<const std::uint8_t> codes, std::size_t rows,
                                std::size_t columns, int bits, int n_threads) {
  assert(codes.size() == rows * columns);
  const PackRow pack_row = pack_row_of(bits);
  const std::size_t row_words = packed_words(columns, bits);
  std::vector<std::uint32_t> words(rows * row_words);
  for_strips(rows, n_threads, [&](std::size_t first, std::size_t n) {
    for (std::size_t row = first; row < first + n; ++row) {
      pack_row(codes.data() + row * columns, columns, words.data() + row * row_words);
    }
  });
  return words;
}

std::vector<std::uint8_t> unpack(std::span<const std::uint32_t> words, std::size_t rows,
                                 std::size_t columns, int bits, int n_threads) {
  const std::size_t row_words = packed_words(columns, bits);
  assert(words.size() == rows * row_words);
  const UnpackRow unpack_row = unpack_row_of(bits);
  std::vector<std::uint8_t> codes(rows * columns);
  for_strips(rows, n_threads, [&](std::size_t first, std::size_t n) {
    for (std::size_t row = first; row < first + n; ++row) {
      unpack_row(words.data() + row * row_words, columns, codes.data() + row * columns);
    }
  });
  return codes;
}

std::vector<std::uint8_t> transposed(std::span<const std::uint8_t> x, std::size_t rows,
                                     std::size_t columns, int n_threads) {
  assert(x.size() == rows * columns);
  std::vector<std::uint8_t> out(x.size());
  // Strip by strip: the lines of `out` that a strip of 64 rows writes to are whole cache lines.
  for_strips(rows, n_threads, [&](std::size_t first, std::size_t n) {
    for (std::size_t column = 0; column < columns; ++column) {
      for (std::size_t row = first; row < first + n; ++row) {
        out[column * rows + row] = x[row * columns + column];
      }
    }
  });
  return out;
}

std::vector<std::uint16_t> transposed(std::span<const std::uint16_t> x, std::size_t rows,
                                      std::size_t columns, int n_threads) {
  return transposed_by_kernel(x, rows, columns, n_threads);
}

std::vector<std::uint32_t> transposed(std::span<const std::uint32_t> x, std::size_t rows,
                                      std::size_t columns, int n_threads) {
  return transposed_by_kernel(x, rows, columns, n_threads);
}

}  // namespace lq::hf

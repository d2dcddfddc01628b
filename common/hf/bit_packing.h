#pragma once
// Codes of 2, 3, 4 or 8 bits in 32-bit words. A row of codes is one little-endian bit stream: code i
// takes the stream bits [bits * i, bits * (i + 1)), word w the stream bits [32 w, 32 (w + 1)).
//
//   4 bits   word 0: code 7 .. code 1, code 0 (lowest)
//   3 bits   32 codes fill 3 words; codes 10 and 21 lie across two of them:
//            word 0: low 2 bits of code 10, code 9 .. code 0
//            word 1: low bit of code 21, code 20 .. code 11, high bit of code 10
//            word 2: code 31 .. code 22, high 2 bits of code 21
//
// The formats differ in what is a row (of the matrix, or a column of it) and in whether the words
// are stored transposed.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lq::hf {

inline constexpr int kWordBits = 32;

/// Words of a row of `n` codes; the bits behind the last code are 0.
std::size_t packed_words(std::size_t n, int bits);

/// Each row of codes [rows, columns] for itself: words [rows, packed_words(columns, bits)].
/// REQUIRES: bits is 2, 3, 4 or 8, codes are below 2^bits.
std::vector<std::uint32_t> pack(std::span<const std::uint8_t> codes, std::size_t rows,
                                std::size_t columns, int bits, int n_threads = 1);
/// The way back. REQUIRES: words.size() == rows * packed_words(columns, bits).
std::vector<std::uint8_t> unpack(std::span<const std::uint32_t> words, std::size_t rows,
                                 std::size_t columns, int bits, int n_threads = 1);

/// [columns, rows] of x [rows, columns]. REQUIRES: x.size() == rows * columns.
std::vector<std::uint8_t> transposed(std::span<const std::uint8_t> x, std::size_t rows,
                                     std::size_t columns, int n_threads = 1);
std::vector<std::uint16_t> transposed(std::span<const std::uint16_t> x, std::size_t rows,
                                      std::size_t columns, int n_threads = 1);
std::vector<std::uint32_t> transposed(std::span<const std::uint32_t> x, std::size_t rows,
                                      std::size_t columns, int n_threads = 1);

}  // namespace lq::hf

#pragma once
// Windows of token ids, the sequences that a calibration runs through the model:
//
//   every text -> its ids, without special tokens around it
//              -> joined with nothing between, in the order of the texts
//              -> cut into pieces of seq_len ids, less one where the tokenizer has a bos; the
//                 incomplete end is left out
//              -> where there are too many, some of them drawn by `seed`, in the order of the text
//              -> each with the bos in front
//
// Texts that together do not fill one window make one that is shorter.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/text/tokenizer.h"

namespace lq::calibration {

struct TokenWindows {
  std::vector<std::int32_t> ids;            // of all windows, one after the other
  std::vector<std::int64_t> offsets = {0};  // (n_windows + 1): where each begins, and the end

  std::size_t n_windows() const { return offsets.size() - 1; }
  /// REQUIRES: window < n_windows().
  std::span<const std::int32_t> window(std::size_t window) const;
  /// SHA-256 in hex over the offsets and the ids.
  std::string content_id() const;
};

struct WindowOptions {
  std::size_t seq_len = 512;      // ids of a window, the bos included
  std::size_t min_windows = 64;   // fewer of them give a warning
  std::size_t max_windows = 128;  // where the texts have more, as many are drawn
  std::uint64_t seed = 0;
  std::size_t n_vocab = 0;  // rows of the model's embedding; every id is below
  int n_threads = 1;        // without influence on the result
};

struct Warning {
  std::string what, why;
};

struct CutTexts {
  TokenWindows windows;
  std::uint64_t n_text_tokens = 0;     // of all texts, without any bos
  std::size_t n_full_windows = 0;      // that the texts have
  std::optional<std::int32_t> bos_id;  // in front of each window
  std::vector<Warning> warnings;
};

/// REQUIRES: seq_len >= 2, 1 <= min_windows <= max_windows. Throws ValidationError for an id that
/// is not below n_vocab, for texts that have no tokens, and for a text that is not UTF-8.
CutTexts cut_windows(const text::Tokenizer& tokenizer, std::span<const std::string> texts,
                     const WindowOptions& options);

/// Draws `n_drawn` of the numbers below `n`, ascending, each set equally likely. Knuth's selection
/// sampling (The Art of Computer Programming, vol. 2, 3.4.2, algorithm S) over splitmix64, so that
/// a seed means the same with every standard library. REQUIRES: n_drawn <= n.
std::vector<std::size_t> draw_ascending(std::size_t n, std::size_t n_drawn, std::uint64_t seed);

/// text::open_tokenizer, whose errors say what will do without one.
text::Tokenizer open_tokenizer(const std::filesystem::path& model_dir);

}  // namespace lq::calibration

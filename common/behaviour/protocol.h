#pragma once
// Which windows of tokens a model reads and which of its predictions count. Numbers of different
// protocols cannot be compared, so that a protocol has a name, which is said with every number:
//
//   lq         the text without special tokens, cut into pieces of window - 1 tokens, each with the
//              bos in front: every token of the text counts once. Where the tokenizer has no bos,
//              the token before the piece stands there, and the text's first does not count.
//   paper      as the papers of GPTQ and AWQ: the text encoded once, with the special tokens that
//              the tokenizer adds, cut into windows that do not overlap; all but the first token of
//              a window count, and the incomplete end is left out.
//   llama.cpp  as llama-perplexity: encoded likewise; where the tokenizer has a bos, it stands over
//              the first token of each window; of n tokens those from n / 2 + 1 on count. (Special
//              tokens that are written out in the text are taken for text by llama-perplexity, and
//              for what they are here, as the reference tokenizer does.)
//   given      windows of ids from elsewhere: all but the first token of each count.
//
// With a stride, windows begin every so many tokens and overlap: tokens that have counted are only
// read again, so that every token counts once, with more in front of it.
//
// Positions count from 0. Position t predicts token t + 1: where the tokens from s on count, so do
// the predictions of the positions from s - 1 on.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/calibration/windows.h"

namespace lq::behaviour {

struct Protocol {
  std::string_view name;
  std::string_view meaning;  // for people, in a line
  std::size_t window = 0;    // tokens of a window, where nothing else is said
  bool with_specials = false;
  enum class Bos : std::uint8_t { kNone, kInFront, kOverFirst } bos = Bos::kNone;
  bool keeps_end = false;    // the last window may be shorter
  bool second_half = false;  // only that counts
  bool may_overlap = false;
};
/// Those that cut texts; the first is the default.
std::span<const Protocol> protocols();
/// Throws UsageError for an unknown name.
const Protocol& find_protocol(std::string_view name);

/// Windows and what counts of each.
struct EvaluationWindows {
  calibration::TokenWindows windows;
  std::vector<std::size_t> first_scored;  // of each window: the first token that counts, at least 1
  /// The last position of each window counts too: no token tells its loss, but predictions of two
  /// models can be compared there.
  bool with_last = false;
  std::string protocol;

  std::size_t n_scored() const;
  /// SHA-256 in hex over the ids, the windows, and what counts.
  std::string content_id() const;
};

struct CutOptions {
  std::size_t window = 0;       // 0: the protocol's
  std::size_t stride = 0;       // 0: windows do not overlap
  std::size_t max_windows = 0;  // the first ones; 0: all
  std::size_t n_vocab = 0;      // rows of the model's embedding; every id is below
};
/// Throws UsageError for a window of fewer than kLeastWindow tokens and for a stride that the
/// protocol does not have or that leaves tokens out; ValidationError for a text that does not fill
/// a window or is not UTF-8, and for an id that is not below n_vocab.
inline constexpr std::size_t kLeastWindow = 4;
EvaluationWindows cut_text(const text::Tokenizer& tokenizer, std::string_view text,
                           const Protocol& protocol, const CutOptions& options);

/// Divergence is counted at every position of them. Throws ValidationError where no window has two
/// tokens.
EvaluationWindows given_windows(calibration::TokenWindows windows);

/// A position that counts.
struct Position {
  std::size_t window = 0, row = 0;  // `row`: its token's place in the ids of all windows
  std::int32_t next = -1;           // the token behind it; below 0: none
};
std::vector<Position> positions_of(const EvaluationWindows& windows);

}  // namespace lq::behaviour

#include "common/calibration/windows.h"

#include <algorithm>
#include <cassert>
#include <fmt/format.h>
#include <limits>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/digest.h"
#include "common/parallel/parallel_for.h"

namespace lq::calibration {
namespace {

using Ids = std::vector<std::uint32_t>;

// The generator of Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }

 private:
  std::uint64_t state_;
};

void check_ids(const text::Tokenizer& tokenizer, std::span<const std::uint32_t> ids,
               std::size_t n_vocab) {
  const std::uint64_t end =
      std::min<std::uint64_t>(n_vocab, std::uint64_t{std::numeric_limits<std::int32_t>::max()} + 1);
  const auto above = std::ranges::find_if(ids, [&](std::uint32_t id) { return id >= end; });
  if (above == ids.end()) return;
  throw base::ValidationError(
      "cannot cut the calibration texts into tokens of the model",
      fmt::format("the tokenizer, which has {} tokens, gives the id {} (`{}`), but the model's "
                  "embedding has {} rows",
                  tokenizer.vocab_size(), *above, base::escape_controls(tokenizer.piece(*above)),
                  n_vocab),
      "take tokenizer and weights from the same model, or give token ids: lq-calibrate --tokens");
}

/// Ids [begin, end) of the joined texts; the position moves on from one range to the next.
class JoinedIds {
 public:
  explicit JoinedIds(const std::vector<Ids>& texts) : texts_(texts) {}

  /// REQUIRES: ranges come in ascending order and do not overlap; the last ends within the texts.
  void append(std::uint64_t begin, std::uint64_t end, std::vector<std::int32_t>& out) {
    while (begin < end) {
      const Ids& ids = texts_[text_];
      if (begin >= text_begin_ + ids.size()) {
        text_begin_ += ids.size();
        ++text_;
        continue;
      }
      const std::uint64_t n = std::min(end, text_begin_ + ids.size()) - begin;
      const auto first = ids.begin() + static_cast<std::ptrdiff_t>(begin - text_begin_);
      out.insert(out.end(), first, first + static_cast<std::ptrdiff_t>(n));
      begin += n;
    }
  }

 private:
  const std::vector<Ids>& texts_;
  std::size_t text_ = 0;
  std::uint64_t text_begin_ = 0;
};

std::vector<Ids> encode(const text::Tokenizer& tokenizer, std::span<const std::string> texts,
                        const WindowOptions& options) {
  std::vector<Ids> ids(texts.size());
  parallel::parallel_for(texts.size(), options.n_threads, [&](std::size_t i, int) {
    ids[i] = tokenizer.encode(texts[i], false).ids;
  });
  for (const Ids& of_text : ids) check_ids(tokenizer, of_text, options.n_vocab);
  return ids;
}

void warn_of_few(const WindowOptions& options, std::size_t n_body, CutTexts& cut) {
  if (cut.n_full_windows >= options.min_windows) return;
  const std::string wanted = fmt::format("{} of {}", options.min_windows, options.seq_len);
  if (cut.n_full_windows == 0) {
    cut.warnings.push_back({"the calibration texts do not fill one window",
                            fmt::format("they have {} tokens, and a window takes {}; wanted are {}",
                                        cut.n_text_tokens, n_body, wanted)});
  } else {
    cut.warnings.push_back({"the calibration texts have fewer tokens than wanted",
                            fmt::format("they have {} tokens, which fill {} windows; wanted are {}",
                                        cut.n_text_tokens, cut.n_full_windows, wanted)});
  }
}

}  // namespace

std::span<const std::int32_t> TokenWindows::window(std::size_t window) const {
  const auto begin = static_cast<std::size_t>(offsets[window]),
             end = static_cast<std::size_t>(offsets[window + 1]);
  return std::span(ids).subspan(begin, end - begin);
}

std::string TokenWindows::content_id() const {
  io::Digest digest(io::Digest::Algorithm::kSha256);
  digest.update(std::as_bytes(std::span(offsets)));
  digest.update(std::as_bytes(std::span(ids)));
  return digest.hex();
}

CutTexts cut_windows(const text::Tokenizer& tokenizer, std::span<const std::string> texts,
                     const WindowOptions& options) {
  assert(options.seq_len >= 2 && options.min_windows >= 1 &&
         options.min_windows <= options.max_windows);
  CutTexts cut;
  if (const auto bos = tokenizer.bos_id()) {
    check_ids(tokenizer, std::span(&*bos, 1), options.n_vocab);
    cut.bos_id = static_cast<std::int32_t>(*bos);
  }
  const std::vector<Ids> ids = encode(tokenizer, texts, options);
  for (const Ids& of_text : ids) cut.n_text_tokens += of_text.size();
  if (cut.n_text_tokens == 0) {
    throw base::ValidationError("cannot cut the calibration texts into windows",
                                "the tokenizer makes no token of them",
                                "give texts with words in them");
  }
  const std::size_t n_body = options.seq_len - (cut.bos_id ? 1 : 0);
  cut.n_full_windows = cut.n_text_tokens / n_body;
  const std::size_t n_pieces = std::max<std::size_t>(cut.n_full_windows, 1);
  JoinedIds joined(ids);
  for (const std::size_t piece :
       draw_ascending(n_pieces, std::min(n_pieces, options.max_windows), options.seed)) {
    if (cut.bos_id) cut.windows.ids.push_back(*cut.bos_id);
    joined.append(piece * n_body, std::min<std::uint64_t>((piece + 1) * n_body, cut.n_text_tokens),
                  cut.windows.ids);
    cut.windows.offsets.push_back(static_cast<std::int64_t>(cut.windows.ids.size()));
  }
  warn_of_few(options, n_body, cut);
  return cut;
}

std::vector<std::size_t> draw_ascending(std::size_t n, std::size_t n_drawn, std::uint64_t seed) {
  SplitMix64 random(seed);
  std::vector<std::size_t> drawn;
  drawn.reserve(n_drawn);
  // The remainder favours small numbers by at most n in 2^64.
  for (std::size_t i = 0; drawn.size() < n_drawn; ++i) {
    if (random.next() % (n - i) < n_drawn - drawn.size()) drawn.push_back(i);
  }
  return drawn;
}

text::Tokenizer open_tokenizer(const std::filesystem::path& model_dir) {
  constexpr const char* kFix = "{}; or give token ids: lq-calibrate --tokens";
  try {
    return text::open_tokenizer(model_dir);
  } catch (const base::ModelNotFoundError& error) {
    throw base::ModelNotFoundError(error.what(), error.why(), fmt::format(kFix, error.fix()));
  } catch (const base::UnsupportedError& error) {
    throw base::UnsupportedError(error.what(), error.why(), fmt::format(kFix, error.fix()));
  }
}

}  // namespace lq::calibration

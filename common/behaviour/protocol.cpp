#include "common/behaviour/protocol.h"

#include <algorithm>
#include <cassert>
#include <fmt/format.h>
#include <optional>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/digest.h"

namespace lq::behaviour {
namespace {

constexpr Protocol kProtocols[] = {
    {.name = "lq",
     .meaning = "windows with the bos in front, every token of the text counts once",
     .window = 512,
     .bos = Protocol::Bos::kInFront,
     .keeps_end = true,
     .may_overlap = true},
    {.name = "paper",
     .meaning = "as the papers of GPTQ and AWQ: windows of 2048, all but the first token count",
     .window = 2048,
     .with_specials = true,
     .may_overlap = true},
    {.name = "llama.cpp",
     .meaning = "as llama-perplexity: windows of 512, the second half counts",
     .window = 512,
     .with_specials = true,
     .bos = Protocol::Bos::kOverFirst,
     .second_half = true},
};

[[noreturn]] void refuse(std::string why, std::string fix) {
  throw base::UsageError("cannot cut the text into windows", std::move(why), std::move(fix));
}

std::int32_t checked_id(const text::Tokenizer& tokenizer, std::uint32_t id, std::size_t n_vocab) {
  if (id < n_vocab) return static_cast<std::int32_t>(id);
  throw base::ValidationError(
      "cannot cut the text into tokens of the model",
      fmt::format("the tokenizer gives the id {} (`{}`), but the model's embedding has {} rows", id,
                  base::escape_controls(tokenizer.piece(id)), n_vocab),
      "take tokenizer and weights from the same model");
}

/// How windows lie over the ids of a text.
struct Cut {
  std::size_t lead = 0, body = 0, stride = 0;  // tokens in front of a piece, of a piece, between
};

Cut cut_of(const Protocol& protocol, const CutOptions& options, bool has_bos) {
  const std::size_t window = options.window == 0 ? protocol.window : options.window;
  if (window < kLeastWindow) {
    refuse(fmt::format("a window of {} tokens is too short to predict from", window),
           fmt::format("give --window {} or more", kLeastWindow));
  }
  Cut cut;
  cut.lead = protocol.bos == Protocol::Bos::kInFront && has_bos ? 1 : 0;
  cut.body = window - cut.lead;
  // Without a bos the piece's first token is the one before it.
  const bool shares_token = protocol.bos == Protocol::Bos::kInFront && !has_bos;
  const std::size_t apart = cut.body - (shares_token ? 1 : 0);
  cut.stride = options.stride == 0 ? apart : options.stride;
  if (options.stride == 0) return cut;
  if (!protocol.may_overlap) {
    refuse(fmt::format("windows of the protocol {} do not overlap", protocol.name),
           "leave --stride out, or name another --protocol");
  }
  if (options.stride > apart) {
    refuse(fmt::format("windows of {} tokens every {} tokens leave some out", window, cut.stride),
           fmt::format("give --stride {} or less", apart));
  }
  return cut;
}

void append_window(EvaluationWindows& to, std::optional<std::int32_t> lead,
                   std::span<const std::int32_t> body, std::size_t first_scored) {
  std::vector<std::int32_t>& ids = to.windows.ids;
  if (lead) ids.push_back(*lead);
  ids.insert(ids.end(), body.begin(), body.end());
  to.windows.offsets.push_back(static_cast<std::int64_t>(ids.size()));
  to.first_scored.push_back(first_scored);
}

}  // namespace

std::span<const Protocol> protocols() { return kProtocols; }

const Protocol& find_protocol(std::string_view name) {
  const auto* const found = std::ranges::find(kProtocols, name, &Protocol::name);
  if (found != std::end(kProtocols)) return *found;
  throw base::UsageError(fmt::format("unknown protocol `{}`", base::escape_controls(name)),
                         "it is none of lq, paper and llama.cpp",
                         "name one of them: --protocol lq");
}

std::size_t EvaluationWindows::n_scored() const {
  std::size_t n = 0;
  for (std::size_t w = 0; w < first_scored.size(); ++w) {
    n += windows.window(w).size() - first_scored[w];
  }
  return n;
}

std::string EvaluationWindows::content_id() const {
  io::Digest digest(io::Digest::Algorithm::kSha256);
  digest.update(windows.content_id());
  digest.update(std::as_bytes(std::span(first_scored)));
  digest.update(with_last ? "with last" : "");
  return digest.hex();
}

EvaluationWindows cut_text(const text::Tokenizer& tokenizer, std::string_view text,
                           const Protocol& protocol, const CutOptions& options) {
  const auto bos = tokenizer.bos_id();
  const Cut cut = cut_of(protocol, options, bos.has_value());
  std::vector<std::int32_t> ids;
  for (const std::uint32_t id : tokenizer.encode(text, protocol.with_specials).ids) {
    ids.push_back(checked_id(tokenizer, id, options.n_vocab));
  }
  std::optional<std::int32_t> bos_of_windows;
  if (bos) bos_of_windows = checked_id(tokenizer, *bos, options.n_vocab);
  EvaluationWindows result;
  result.protocol = protocol.name;
  std::size_t end = 0;
  for (std::size_t begin = 0; end < ids.size(); begin += cut.stride) {
    if (result.windows.n_windows() == options.max_windows && options.max_windows != 0) break;
    const std::size_t before = end;
    if (begin + cut.body > ids.size() && !protocol.keeps_end) break;
    end = std::min(begin + cut.body, ids.size());
    std::size_t first = std::max<std::size_t>(1, cut.lead + before - begin);
    const std::size_t length = cut.lead + end - begin;
    if (protocol.second_half) first = length / 2 + 1;
    if (first >= length) break;
    append_window(result, cut.lead == 1 ? bos_of_windows : std::nullopt,
                  std::span(ids).subspan(begin, end - begin), first);
    if (protocol.bos == Protocol::Bos::kOverFirst && bos_of_windows) {
      result.windows.ids[result.windows.ids.size() - length] = *bos_of_windows;
    }
  }
  if (!result.first_scored.empty()) return result;
  throw base::ValidationError(
      "cannot cut the text into windows",
      fmt::format("it has {} tokens, and a window of the protocol {} takes {}", ids.size(),
                  protocol.name, protocol.keeps_end ? 2 : cut.body),
      "give a longer text, or shorter windows: --window");
}

EvaluationWindows given_windows(calibration::TokenWindows windows) {
  EvaluationWindows result;
  result.windows = std::move(windows);
  result.with_last = true;
  result.protocol = "given";
  result.first_scored.assign(result.windows.n_windows(), 1);
  if (result.n_scored() > 0) return result;
  throw base::ValidationError("cannot evaluate the windows of token ids",
                              "none has two tokens, so that there is nothing to predict",
                              "give longer windows");
}

std::vector<Position> positions_of(const EvaluationWindows& windows) {
  std::vector<Position> positions;
  std::size_t begin = 0;
  for (std::size_t w = 0; w < windows.first_scored.size(); ++w) {
    const std::span<const std::int32_t> ids = windows.windows.window(w);
    for (std::size_t t = windows.first_scored[w]; t < ids.size(); ++t) {
      positions.push_back({w, begin + t - 1, ids[t]});
    }
    if (windows.with_last) positions.push_back({w, begin + ids.size() - 1, -1});
    begin += ids.size();
  }
  return positions;
}

}  // namespace lq::behaviour

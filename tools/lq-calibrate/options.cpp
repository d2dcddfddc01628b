#include "tools/lq-calibrate/options.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "common/base/errors.h"

namespace lq::calibrate {
namespace {

constexpr std::int64_t kMostLanes = 64, kMostWindows = 1 << 20, kLongestWindow = 1 << 20;

/// Two sources of the same thing.
void refuse_both(bool first, const char* first_option, bool second, const char* second_option,
                 const char* why) {
  if (!first || !second) return;
  throw base::UsageError(fmt::format("cannot use {} with {}", first_option, second_option), why,
                         fmt::format("leave out {} or {}", first_option, second_option));
}

}  // namespace

calibration::GramKind Options::gram_kind() const {
  if (stats == "full") return calibration::GramKind::kFull;
  return stats == "block" ? calibration::GramKind::kBlock : calibration::GramKind::kNone;
}

linalg::Compute Options::compute_type() const {
  return compute == "f32" ? linalg::Compute::kF32 : linalg::Compute::kBf16;
}

void declare(cli::OptionTable& table, Options& options) {
  table.group("What to read");
  table.list("data", 0, "FILE", options.data,
             "texts: .txt, a JSON list of texts, a JSON object with such a list as \"text\", or "
             ".jsonl; - for standard input; may be repeated. Default: texts that come with the "
             "program, of prose, technical writing, dialogue, code and several languages");
  table.text("field", 0, "NAME", options.field, "the member of each line of a .jsonl file");
  table.text("tokens", 0, "FILE", options.tokens,
             "windows of token ids in place of texts, taken as they are: tokens.safetensors of "
             "another calibration, or a JSON list of lists");
  table.text("from-imatrix", 0, "FILE", options.from_imatrix,
             "take the statistics of an importance matrix (llama.cpp's .gguf or .dat) and compute "
             "nothing: enough for lq-quant-gguf, not for the others");
  table.integer(
      "samples", 0, "N", options.samples, 0, kMostWindows,
      "windows to use; 0 (default): 64, or up to 128 of --data where it has that many. An "
      "importance matrix is good from 32 on, AWQ from 64, GPTQ gains up to 128 and "
      "more");
  table.integer("seq-len", 0, "N", options.seq_len, 2, kLongestWindow,
                "tokens of a window, the bos token among them; default 512");
  table.integer("seed", 0, "N", options.seed, 0, INT64_MAX,
                "which windows are drawn where there are more than wanted; default 0");
  table.group("What to keep");
  table.text("stats", 0, "KIND", options.stats,
             "full (default): Gram matrices, for lq-quant-gptq and every solver; block: their "
             "squares of 128 along the diagonal, for AWQ; diag: sums alone, for importance",
             {"full", "block", "diag"});
  table.text("imatrix", 0, "FILE", options.imatrix,
             "write llama.cpp's importance matrix as well: the older form where FILE ends in "
             ".dat, else the GGUF form");
  table.group("How to compute");
  table.text("compute", 0, "TYPE", options.compute,
             "bf16 (default): products of bfloat16 with float32 sums; f32: float32 throughout, "
             "slower",
             {"bf16", "f32"});
  table.integer("lanes", 0, "N", options.lanes, 1, kMostLanes,
                "parts of the texts that are summed apart; no more shards than lanes are possible; "
                "default 4");
}

void check(const Options& options, const std::optional<stage::Shard>& shard) {
  const bool data = !options.data.empty(), tokens = !options.tokens.empty();
  const bool importance = !options.from_imatrix.empty();
  refuse_both(data, "--data", tokens, "--tokens", "both say what the model shall read");
  refuse_both(importance, "--from-imatrix", data, "--data", "an importance matrix needs no texts");
  refuse_both(importance, "--from-imatrix", tokens, "--tokens",
              "an importance matrix needs no texts");
  if (std::ranges::count(options.data, "-") > 1) {
    throw base::UsageError("standard input was named twice", "--data - takes the whole of it",
                           "name it once");
  }
  const Options usual;
  for (const auto& [given, option] : {std::pair(options.samples != usual.samples, "--samples"),
                                      std::pair(options.seq_len != usual.seq_len, "--seq-len"),
                                      std::pair(options.seed != usual.seed, "--seed"),
                                      std::pair(options.field != usual.field, "--field")}) {
    refuse_both(tokens, "--tokens", given, option, "windows of ids are taken as they are");
    refuse_both(importance, "--from-imatrix", given, option, "an importance matrix needs no texts");
  }
  for (const auto& [given, option] : {std::pair(options.stats != usual.stats, "--stats"),
                                      std::pair(options.compute != usual.compute, "--compute"),
                                      std::pair(options.lanes != usual.lanes, "--lanes")}) {
    refuse_both(importance, "--from-imatrix", given, option, "nothing is computed");
  }
  refuse_both(importance, "--from-imatrix", shard.has_value(), "--shard",
              "there is nothing to share");
  if (shard && shard->count > options.lanes) {
    throw base::UsageError(
        fmt::format("cannot divide the work into {} shards", shard->count),
        fmt::format("a shard takes whole lanes, and there are {}", options.lanes),
        fmt::format("use at most {} shards, or the same --lanes {} with all of them", options.lanes,
                    shard->count));
  }
  refuse_both(shard.has_value(), "--shard", !options.imatrix.empty(), "--imatrix",
              "a shard has a part of the sums; the plain command that finishes writes the file");
}

}  // namespace lq::calibrate

#include "tools/lq-calibrate/options.h"

namespace lq::calibrate {
namespace {

constexpr std::int64_t kMostLanes = 64, kMostWindows = 1 << 20, kLongestWindow = 1 << 20;

}  // namespace

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

}  // namespace lq::calibrate

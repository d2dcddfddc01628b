#include "common/calibrate/options.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "common/base/errors.h"

namespace lq::calibrate {
namespace {

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

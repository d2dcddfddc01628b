#include "common/quantizer/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::quantizer {
namespace {

struct Effort {
  const char* name;
  int sweeps;
};
constexpr std::array kEfforts = {Effort{"fast", 0}, Effort{"normal", 2}, Effort{"best", 6}};

/// What is added where nothing else is asked for: what served models with outlier channels best, and
/// others as well as anything (bench/README.md).
double default_damping(bool per_channel) { return per_channel ? 0.1 : 0.01; }

double parse_damping(const std::string& text) {
  double share = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
  if (error == std::errc() && end == text.data() + text.size() && share >= 0 && share <= 1) {
    return share;
  }
  throw base::UsageError(
      fmt::format("cannot use --damp {}", base::escape_controls(text)),
      "it is no number from 0 to 1",
      "0.1 of each channel is usual, 0.01 of the mean; more where calibration texts are few");
}

}  // namespace

void declare_modules(cli::OptionTable& table, Options& options,
                     std::vector<std::string> group_sizes) {
  const bool whole_rows = std::ranges::find(group_sizes, "-1") != group_sizes.end();
  table.text("group-size", 'g', "N", options.group_size,
             fmt::format("columns that share a scale{}. Default: the largest of 128, 64 and 32 "
                         "that divides the columns of every layer",
                         whole_rows ? "; -1: whole rows" : ""),
             std::move(group_sizes));
  table.flag("lm-head", 0, options.lm_head, "quantize the output matrix too");
  table.list("skip", 0, "REGEX", options.skip,
             "leave linear layers float whose name matches; may be repeated");
}

void declare_files(cli::OptionTable& table, Options& options) {
  table.text("dtype", 0, "TYPE", options.dtype,
             "type of the tensors that stay float: bf16 or f16; default: that of the model, BF16 "
             "for F32",
             {"bf16", "f16"});
  table.size("max-shard-size", 0, "SIZE", options.max_shard_bytes,
             "begin a new weight file where one would have more; default 5GB");
}

void declare_choice(cli::OptionTable& table, Options& options) {
  table.group("How to choose");
  table.text("calibration", 0, "DIR", options.calibration_dir,
             "calibration directory of this model (lq-calibrate makes one); without it, one is "
             "made first from the texts that come with the program");
  table.flag("sequential", 0, options.sequential,
             "let each layer make up for what the quantized layers before it lost: much closer to "
             "the original, and slower; layers come in order");
  table.text("effort", 0, "HOW", options.effort,
             fmt::format("fast: error feedback alone; normal (default): and {} sweeps that refine "
                         "scales and codes; best: {}",
                         kEfforts[1].sweeps, kEfforts[2].sweeps),
             {"fast", "normal", "best"});
  table.text("damp", 0, "SHARE", options.damp,
             fmt::format("added to the diagonal of Gram matrices, relative to --damp-kind; default "
                         "{:g}, of the mean {:g}",
                         default_damping(true), default_damping(false)));
  table.text("damp-kind", 0, "KIND", options.damp_kind,
             "channel (default): a share of each channel's own value; mean: of the diagonal's mean",
             {"channel", "mean"});
  table.flag(
      "data-free", 0, options.data_free,
      "round to nearest without any calibration: a clear loss; --damp, --effort and --strict then "
      "count for nothing");
  table.text("ranges", 0, "HOW", options.ranges,
             "search (default): ranges with the least error; minmax: from the least to the "
             "greatest value",
             {"search", "minmax"});
  table.flag("strict", 0, options.strict,
             "fail where a layer cannot be solved, rather than round it and warn");
}

void refuse_together(bool one, const char* one_name, bool other, const char* other_name,
                     const char* why) {
  if (!one || !other) return;
  throw base::UsageError(fmt::format("cannot use {} with {}", one_name, other_name), why,
                         fmt::format("leave out {} or {}", one_name, other_name));
}

Request request_of(const Options& options, const std::optional<stage::Shard>& shard) {
  refuse_together(options.sequential, "--sequential", shard.has_value(), "--shard",
                  "each layer is made from what the layers before it became");
  refuse_together(options.data_free, "--data-free", !options.calibration_dir.empty(),
                  "--calibration", "without data there is nothing to take from a calibration");
  refuse_together(options.data_free, "--data-free", options.sequential, "--sequential",
                  "without data no layer can make up for what others lost");
  Request request;
  request.modules.format = hf::find_format(options.format);
  if (!options.group_size.empty()) {
    const int size = std::stoi(options.group_size);
    request.modules.group_size = size < 0 ? 0 : static_cast<std::size_t>(size);
  }
  request.modules.output_matrix = options.lm_head;
  request.modules.skip = options.skip;
  if (!options.dtype.empty()) {
    request.float_dtype = options.dtype == "f16" ? tensor::DType::kF16 : tensor::DType::kBF16;
  }
  if (options.max_shard_bytes > 0) request.max_shard_bytes = options.max_shard_bytes;
  const bool per_channel = options.damp_kind == "channel";
  request.damping = {
      options.damp.empty() ? default_damping(per_channel) : parse_damping(options.damp),
      per_channel};
  const auto* const effort =
      std::ranges::find_if(kEfforts, [&](const Effort& row) { return options.effort == row.name; });
  request.sweeps = effort->sweeps;
  request.search_ranges = options.ranges == "search";
  request.sequential = options.sequential;
  request.data_free = options.data_free;
  request.strict = options.strict;
  return request;
}

}  // namespace lq::quantizer

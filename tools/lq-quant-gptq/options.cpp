#include "tools/lq-quant-gptq/options.h"

#include <fmt/format.h>

#include "common/base/errors.h"

namespace lq::quant_gptq {

using quantizer::refuse_together;

void declare(cli::OptionTable& table, Options& options) {
  table.group("What to make");
  table.text("bits", 'b', "N", options.bits, "bits of a code; default 4", {"2", "3", "4", "8"});
  table.flag("sym", 0, options.symmetric, "symmetric grids (default): what most runtimes load");
  table.flag("asym", 0, options.asymmetric, "grids with a zero point of their own for each group");
  table.text("scale-sign", 0, "SIGN", options.scale_sign,
             "signed (default): scales of symmetric grids may be negative, so that the extreme "
             "value gets the extra code; positive: for readers that cannot take that",
             {"signed", "positive"});
  quantizer::declare_modules(table, options, {"-1", "32", "64", "128"});
  table.list("override", 0, "REGEX=bits:N,group:N", options.overrides,
             "bits, groups or both for linear layers whose name matches; may be repeated, the "
             "first match wins");
  table.flag("desc-act", 0, options.desc_act,
             "group columns by their importance (g_idx), which few runtimes load. Without it "
             "columns are chosen in that order all the same, in groups as they lie");
  table.text("format", 0, "NAME", options.format,
             "gptq (default), gptq_v2 (zero points as they are, 0 among them), compressed-tensors",
             {"gptq", "gptq_v2", "compressed-tensors"});
  quantizer::declare_files(table, options);
  quantizer::declare_choice(table, options);
}

quantizer::Request check(const Options& options, const std::optional<stage::Shard>& shard) {
  refuse_together(options.symmetric, "--sym", options.asymmetric, "--asym",
                  "a grid is either symmetric or not");
  refuse_together(options.data_free, "--data-free", options.desc_act, "--desc-act",
                  "without data no column is more important than another");
  quantizer::Request request = quantizer::request_of(options, shard);
  request.tool = "lq-quant-gptq";
  request.default_label =
      fmt::format("{}-w{}", options.format == "compressed-tensors" ? "ct" : "gptq", options.bits);
  request.modules.bits = std::stoi(options.bits);
  request.modules.symmetric = !options.asymmetric;
  for (const std::string& text : options.overrides) {
    request.modules.overrides.push_back(hf::parse_override(text));
  }
  request.desc_act = options.desc_act;
  if (options.desc_act && !request.modules.format->has_group_index) {
    throw base::UsageError(fmt::format("cannot use --desc-act with --format {}", options.format),
                           "the format has no place for the group of each column",
                           "leave out --desc-act: columns are chosen by importance all the same");
  }
  request.negative_scales = options.scale_sign == "signed";
  return request;
}

}  // namespace lq::quant_gptq

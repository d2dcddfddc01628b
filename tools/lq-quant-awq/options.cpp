#include "tools/lq-quant-awq/options.h"

#include <fmt/format.h>

#include "common/base/errors.h"

namespace lq::quant_awq {

using quantizer::refuse_together;

void declare(cli::OptionTable& table, Options& options) {
  table.group("What to make");
  table.integer("bits", 'b', "N", options.bits, 1, 16,
                "bits of a code (w_bit of AutoAWQ): the format has 4 alone");
  table.flag("sym", 0, options.symmetric,
             "symmetric grids, every zero point 8; default: zero points of their own for each "
             "group (zero_point of AutoAWQ)");
  quantizer::declare_modules(table, options, {"32", "64", "128"});
  table.text("format", 0, "NAME", options.format,
             "awq (default): AutoAWQ's gemm layout; compressed-tensors",
             {"awq", "compressed-tensors"});
  quantizer::declare_files(table, options);
  quantizer::declare_choice(table, options);
  table.text("scale", 0, "HOW", options.scale,
             "scales of channels, folded into norms and the linear layers before: none; grid: of "
             "two exponents; smooth: a smooth measure of the loss, minimised; auto (default): grid "
             "in the layers that calibration tokens show to be clearly better for it, else none",
             {"auto", "none", "grid", "smooth"});
  table.integer("grid", 0, "N", options.grid_points, 2, 100,
                "points of the grid of scales, for each exponent; default 11");
  table.text("round", 0, "HOW", options.rounding,
             "gptq (default): the solver of lq-quant-gptq chooses codes; nearest: rounding on "
             "ranges that are clipped for the least output error, whatever the effort",
             {"nearest", "gptq"});
  table.flag("no-clip", 0, options.no_clip,
             "take ranges from the least to the greatest value, as --ranges minmax");
}

quantizer::Request check(const Options& options, const std::optional<stage::Shard>& shard) {
  if (options.bits != 4) {
    throw base::UnsupportedError(
        fmt::format("cannot make AWQ files of {} bits", options.bits),
        "the format and the kernels that read it have codes of 4 bits alone",
        "use --bits 4; lq-quant-gptq --bits 2, 3 or 8; or lq-quant-gguf, with types of 2 to 8 "
        "bits");
  }
  refuse_together(options.rounding == "nearest", "--round nearest", options.sequential,
                  "--sequential", "rounding to nearest cannot make up for what was lost");
  quantizer::Request request = quantizer::request_of(options, shard);
  request.tool = "lq-quant-awq";
  request.default_label = options.format == "awq" ? "awq" : "ct-awq";
  request.modules.bits = 4;
  request.modules.symmetric = options.symmetric;
  request.nearest = options.rounding == "nearest";
  if (options.no_clip) request.search_ranges = false;
  if (options.scale != "none") {
    request.preparation =
        "AWQ: channels were scaled where the activations asked for it, the scales folded into "
        "norms and the linear layers before. ";
  }
  if (!options.data_free) {
    request.own_options = {{"scale", options.scale}, {"grid", options.grid_points}};
  }
  return request;
}

}  // namespace lq::quant_awq

#include "tools/lq-verify/options.h"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <limits>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/behaviour/evaluation_text.h"
#include "common/io/input_file.h"

namespace lq::verify {
namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();
constexpr std::string_view kBuiltin = "builtin";
constexpr std::uint64_t kLongestText = std::uint64_t{1} << 30;

double parse_number(std::string_view option, const std::string& text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && rest == end && value >= 0 && std::isfinite(value)) return value;
  throw base::UsageError(fmt::format("cannot use --{} {}", option, base::escape_controls(text)),
                         "it is no number of 0 or more", "write it as 0.02");
}

std::vector<std::string> protocol_names() {
  std::vector<std::string> names;
  for (const behaviour::Protocol& protocol : behaviour::protocols()) {
    names.emplace_back(protocol.name);
  }
  return names;
}

std::string text_of(const Options& options) {
  if (!options.tokens.empty()) return {};
  if (options.text.empty() || options.text == kBuiltin) return behaviour::built_in_text();
  return io::read_text_file(options.text, kLongestText);
}

}  // namespace

void declare(cli::OptionTable& table, Options& options) {
  table.group("What to compare with");
  table.text("reference", 'r', "MODEL", options.reference,
             "the model that it was made from, a directory or a GGUF: weights are compared, and "
             "behaviour where one is measured");
  table.text("calibration", 'c', "DIR", options.calibration,
             "of lq-calibrate: also the error of what layers put out, tensor by tensor");
  table.group("Behaviour");
  table.text(
      "text", 't', "FILE", options.text,
      "measure perplexity, and with a reference the divergence of predictions, on this text; "
      "builtin: one that comes with the program");
  table.text("tokens", 0, "FILE", options.tokens, "on these windows of token ids instead");
  table.text("protocol", 0, "NAME", options.protocol,
             "how a text is cut: lq (default), paper (as GPTQ and AWQ were measured), llama.cpp",
             protocol_names());
  table.integer("window", 0, "N", options.window, 0, 1 << 20,
                "tokens of a window; 0 (default): as the protocol has it");
  table.integer("stride", 0, "N", options.stride, 0, 1 << 20,
                "windows begin every N tokens; 0 (default): they do not overlap");
  table.integer("max-windows", 0, "N", options.max_windows, 0,
                std::numeric_limits<std::int32_t>::max(),
                "the first N windows alone; 0 (default): all");
  table.text("compute", 0, "TYPE", options.compute, "bf16 (default) or f32", {"bf16", "f32"});
  table.integer("continuation", 0, "N", options.continuation, 0, 4096,
                "tokens that both models go on from each of a few prompts; default 48, 0: none");
  table.text("save-reference", 0, "FILE", options.save_reference,
             "keep the reference's predictions in FILE, or take them from there");
  table.group("Limits (exit code 6 where one is missed)");
  table.text("max-perplexity-increase", 0, "SHARE", options.max_perplexity_increase,
             "such as 5%: of the reference's perplexity");
  table.text("max-kld", 0, "NATS", options.max_kld, "of the mean KL divergence");
  table.text("min-top1", 0, "SHARE", options.min_top1,
             "such as 90%: positions where both find the same token likeliest");
  table.text("max-tensor-error", 0, "SHARE", options.max_tensor_error,
             "of the error of what each layer puts out; needs --calibration");
  table.group("Reports");
  table.text("junit", 0, "FILE", options.junit, "write what was checked as JUnit's XML");
  table.text("html", 0, "FILE", options.html, "write one page with tables and plots");
}

Gates gates_of(const Options& options) {
  Gates gates;
  if (!options.max_perplexity_increase.empty()) {
    gates.max_perplexity_increase =
        parse_share("max-perplexity-increase", options.max_perplexity_increase, kNoLimit);
  }
  if (!options.max_kld.empty()) gates.max_divergence = parse_number("max-kld", options.max_kld);
  if (!options.min_top1.empty()) gates.min_same_top = parse_share("min-top1", options.min_top1, 1);
  if (!options.max_tensor_error.empty()) {
    gates.max_tensor_error = parse_share("max-tensor-error", options.max_tensor_error, kNoLimit);
  }
  return gates;
}

void check(const Options& options) {
  const Gates gates = gates_of(options);
  if (!options.text.empty() && !options.tokens.empty()) {
    throw base::UsageError("cannot use --text with --tokens",
                           "predictions are measured on one of them", "leave out one of them");
  }
  const bool has_reference = !options.reference.empty() || !options.save_reference.empty();
  if (gates.ask_behaviour() && !has_reference) {
    throw base::UsageError("cannot tell whether a limit of behaviour is kept",
                           "there is no reference to compare predictions with",
                           "name the original model with --reference");
  }
  if (gates.max_tensor_error && (options.calibration.empty() || options.reference.empty())) {
    throw base::UsageError(
        "cannot tell whether --max-tensor-error is kept",
        "errors of what layers put out follow from statistics of what they read",
        "name the original with --reference and what lq-calibrate made with --calibration");
  }
  if (!options.calibration.empty() && options.reference.empty()) {
    throw base::UsageError("cannot use --calibration alone",
                           "it weighs the errors against a reference, and none is named",
                           "name the original model with --reference");
  }
  if (!options.save_reference.empty() && !options.asks_behaviour()) {
    throw base::UsageError("cannot use --save-reference alone",
                           "predictions are made where behaviour is measured",
                           "add --text FILE, or --text builtin");
  }
}

ExaminationRequest request_of(const Options& options, const std::vector<std::string>& operands,
                              const stage::StageOptions& stage) {
  ExaminationRequest request;
  for (const std::string& operand : operands) {
    request.results.push_back(std::filesystem::absolute(operand).lexically_normal());
  }
  if (!options.reference.empty()) request.reference = options.reference;
  if (!options.calibration.empty()) request.calibration = options.calibration;
  request.gates = gates_of(options);
  request.n_threads = stage.n_threads;
  if (!options.asks_behaviour()) return request;
  BehaviourRequest& behaviour = request.behaviour.emplace();
  behaviour.text = text_of(options);
  behaviour.tokens = options.tokens;
  behaviour.protocol = options.protocol;
  behaviour.cut.window = static_cast<std::size_t>(options.window);
  behaviour.cut.stride = static_cast<std::size_t>(options.stride);
  behaviour.cut.max_windows = static_cast<std::size_t>(options.max_windows);
  behaviour.compute = options.compute == "f32" ? linalg::Compute::kF32 : linalg::Compute::kBf16;
  behaviour.reference_file = options.save_reference;
  behaviour.continued_tokens = static_cast<std::size_t>(options.continuation);
  behaviour.weights_memory = stage.memory_limit / 2;  // two models, one after the other
  return request;
}

}  // namespace lq::verify

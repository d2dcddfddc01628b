#include "tools/lq-inspect/tool.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <iterator>
#include <limits>
#include <optional>
#include <system_error>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/calibration/calibration_directory.h"
#include "common/stage/stop.h"
#include "tools/lq-inspect/calibration_report.h"
#include "tools/lq-inspect/diff.h"
#include "tools/lq-inspect/estimate.h"
#include "tools/lq-inspect/facts.h"
#include "tools/lq-inspect/hf_facts.h"
#include "tools/lq-inspect/remote.h"
#include "tools/lq-inspect/report.h"
#include "tools/lq-inspect/tokenize.h"

namespace lq::inspect {
namespace {

cli::ToolResult compare(const ModelFacts& left, const ModelFacts& right) {
  const std::vector<Difference> found = differences(left, right);
  cli::ToolResult result;
  result.lines = text_of(found);
  result.json = {{"path", left.path}, {"other", right.path}, {"diff", json_of(found)}};
  return result;
}

Estimates estimate(const ModelFacts& facts, const std::string& place, const std::string& types,
                   const std::string& importance_path, int n_threads) {
  if (facts.storage != Storage::kHuggingFace) {
    throw base::UnsupportedError(
        fmt::format("cannot estimate outputs of {}", base::escape_controls(facts.path)),
        "outputs are made from a Hugging Face directory, and this is a GGUF file",
        "name the directory of the original model");
  }
  return {estimate_sizes(open_for_estimate(place), types, importance_path, n_threads),
          this_machine(n_threads)};
}

bool is_there(const std::string& operand) {
  std::error_code ignored;
  return operand == "-" || std::filesystem::exists(operand, ignored);
}

/// A directory that lq-calibrate made; one that is a model as well counts as a model.
bool is_calibration(const std::string& operand) {
  std::error_code ignored;
  return calibration::is_calibration_directory(operand) &&
         !std::filesystem::exists(std::filesystem::path(operand) / "config.json", ignored);
}

/// A model and, where it is on the Hub, what is here of it.
struct Opened {
  std::optional<RemoteModel> remote;
  ModelFacts facts;

  Opened(const std::string& operand, stage::StageObserver& observer) {
    if (is_there(operand) || !RemoteModel::may_be(operand)) {
      facts = read_facts(operand);
      return;
    }
    stage::install_signal_handlers();
    remote.emplace(operand, observer);
    facts = read_facts(remote->directory());
    facts.path = operand;
    facts.name = "";
    std::ranges::copy(remote->notes(), std::back_inserter(facts.notes));
  }
  std::string place() const { return remote ? remote->directory().string() : facts.path; }
};

/// What cannot stand beside --tokenize, and what cannot stand without it.
void check_tokenize(const Options& options, const std::vector<std::string>& models) {
  if (options.tokenize.empty()) {
    if (!options.no_special) return;
    throw base::UsageError("--no-special was given without --tokenize",
                           "it says how a text is cut, and no text was named",
                           "add --tokenize FILE, or leave --no-special out");
  }
  if (options.tensors || options.estimate || !options.diff.empty()) {
    throw base::UsageError("--tokenize was given with another report",
                           "one run prints one report, and --tokenize prints only ids and pieces",
                           "leave --tensors, --estimate and --diff out");
  }
  if (options.tokenize == "-" && std::ranges::count(models, "-") > 0) {
    throw base::UsageError("standard input was named twice",
                           "both MODEL and the text of --tokenize are '-'",
                           "name one of them by its path");
  }
}

}  // namespace

const cli::ToolSpec& Inspect::spec() const {
  using base::ExitCode;
  static const cli::ToolSpec kSpec = {
      .name = "lq-inspect",
      .operands = "MODEL",
      .summary = "Say what a model is and what its quantized forms will cost.",
      // Counted by validate(), which can tell a list of types from a second model.
      .max_operands = std::numeric_limits<int>::max(),
      .makes_output = false,
      .examples = {"lq-inspect my-model", "lq-inspect my-model --estimate=Q4_K_M,Q6_K",
                   "lq-inspect model.gguf --tensors", "lq-inspect my-model --json | jq .parameters",
                   "lq-inspect my-model --diff other-model", "lq-inspect my-model-calib --tensors",
                   "printf 'some text' | lq-inspect my-model --tokenize - --json"},
      .exit_codes = {ExitCode::kDone, ExitCode::kUsage, ExitCode::kNotFound,
                     ExitCode::kAuthentication, ExitCode::kOutOfMemory, ExitCode::kValidation,
                     ExitCode::kOutput, ExitCode::kNetwork, ExitCode::kUnsupported,
                     ExitCode::kHangup, ExitCode::kInterrupted, ExitCode::kReaderGone,
                     ExitCode::kTerminated}};
  return kSpec;
}

void Inspect::declare(cli::OptionTable& table) { inspect::declare(table, options_); }

void Inspect::validate(const std::vector<std::string>& operands, const cli::CommonOptions&) {
  const std::vector<std::string> models = split_operands(options_, operands).models;
  check_tokenize(options_, models);
  if (models.size() == 1) return;
  // What is neither there nor "-" may have been meant as a list of types.
  const auto stranger = std::ranges::find_if_not(models, is_there);
  if (options_.estimate && options_.estimate_types.empty() && stranger != models.end()) {
    throw base::UsageError("more than one model was given",
                           fmt::format("'{}' is neither a model nor a list of types",
                                       base::escape_controls(*stranger)),
                           "write the types as --estimate=TYPE,... and name one model");
  }
  throw base::UsageError(
      "more than one model was given",
      fmt::format("one MODEL is taken and {} were named: '{}', '{}'{}", models.size(),
                  base::escape_controls(models[0]), base::escape_controls(models[1]),
                  models.size() > 2 ? ", ..." : ""),
      "inspect one at a time, or compare two with --diff OTHER");
}

cli::ToolResult Inspect::run(const std::vector<std::string>& operands,
                             const cli::CommonOptions& common, stage::StageObserver& observer) {
  const Operands split = split_operands(options_, operands);
  if (!options_.tokenize.empty()) {
    return tokenize(split.models.front(), options_.tokenize, !options_.no_special);
  }
  if (is_calibration(split.models.front())) {
    if (options_.estimate || !options_.diff.empty()) {
      throw base::UnsupportedError(
          fmt::format("cannot estimate or compare {}", base::escape_controls(split.models.front())),
          "it is a calibration directory and no model", "name the directory of the model");
    }
    return calibration_report(split.models.front(), options_.tensors);
  }
  const Opened opened(split.models.front(), observer);
  const ModelFacts& facts = opened.facts;
  if (!options_.diff.empty()) return compare(facts, Opened(options_.diff, observer).facts);
  std::optional<Estimates> estimates;
  if (options_.estimate) {
    estimates = estimate(facts, opened.place(), split.estimate_types, options_.importance_path,
                         common.stage.n_threads);
  }
  cli::ToolResult result;
  result.lines = text_report(facts, options_.tensors, estimates);
  result.json = json_report(facts, options_.tensors, estimates);
  return result;
}

}  // namespace lq::inspect

// evaluation_speed MODEL [THREADS] [WINDOWS]: how long it takes to run a model over the built-in
// evaluation text, to compare it with itself, to save its predictions and to compare with these,
// and to go on from the built-in beginnings. One line of JSON, with seconds as [wall, processor].

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "common/base/errors.h"
#include "common/behaviour/continuation.h"
#include "common/behaviour/evaluation.h"
#include "common/behaviour/evaluation_text.h"
#include "common/behaviour/reference.h"
#include "common/behaviour/summary.h"
#include "common/parallel/memory.h"
#include "common/stage/host.h"
#include "common/subject/subject.h"

namespace {

using namespace lq::behaviour;  // NOLINT: a program of this one library

/// [wall, processor]: other programs on the machine make the first one long.
nlohmann::json seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  const double cpu = lq::stage::cpu_seconds();
  work();
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
          lq::stage::cpu_seconds() - cpu};
}

std::vector<TokenList> prompts_of(const lq::text::Tokenizer& tokenizer) {
  std::vector<TokenList> prompts;
  for (const std::string_view prompt : coherence_prompts()) {
    const auto ids = tokenizer.encode(prompt, true).ids;
    prompts.emplace_back(ids.begin(), ids.end());
  }
  return prompts;
}

nlohmann::ordered_json measure(const char* path, int n_threads, std::size_t n_windows) {
  const auto subject = lq::subject::open_subject(path);
  const Model model{subject->config(), subject->weights()};
  const lq::text::Tokenizer& tokenizer = subject->tokenizer();
  const EvaluationWindows windows =
      cut_text(tokenizer, built_in_text(), find_protocol("lq"),
               {.max_windows = n_windows, .n_vocab = static_cast<std::size_t>(model.config.vocab)});
  const EvaluationOptions options{.n_threads = n_threads};
  std::unique_ptr<ModelPredictions> predictions;
  nlohmann::ordered_json result = {{"tokens", windows.windows.ids.size()}};
  result["layers_s"] = seconds_of(
      [&] { predictions = std::make_unique<ModelPredictions>(model, windows, options); });
  PerplexitySummary summary;
  result["losses_s"] =
      seconds_of([&] { summary = summarize_perplexity(evaluate(*predictions, windows)); });
  result["perplexity"] = summary.perplexity.value;
  std::vector<PositionResult> results;
  result["compare_s"] =
      seconds_of([&] { results = compare(*predictions, *predictions, windows, n_threads); });
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / fmt::format("lq-speed-{}", ::getpid());
  const ReferenceFacts facts = facts_of("", "", *predictions, windows, options.compute);
  result["save_s"] = seconds_of([&] { save_reference(file, facts, *predictions, n_threads); });
  result["saved_bytes"] = std::filesystem::file_size(file);
  result["compare_saved_s"] = seconds_of([&] {
    SavedReference saved(file, facts, n_threads);
    results = compare(saved, *predictions, windows, n_threads);
  });
  std::filesystem::remove(file);
  result["divergence_of_saved"] = summarize_comparison(results).divergence.value;
  const std::vector<TokenList> prompts = prompts_of(tokenizer);
  for (const std::uint64_t memory : {std::uint64_t{0}, std::uint64_t{1} << 40U}) {
    std::vector<TokenList> texts;
    result[memory == 0 ? "continue_s" : "continue_in_memory_s"] = seconds_of([&] {
      texts = continue_greedily(model, prompts, {.n_threads = n_threads, .weights_memory = memory});
    });
    double repeated = 0;
    for (const TokenList& text : texts) repeated += repetition_of(text).repeated_share;
    result["repeated_share"] = repeated / static_cast<double>(texts.size());
  }
  result["peak_bytes"] = lq::parallel::peak_rss();
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 4) {
    fmt::print(stderr, "usage: evaluation_speed MODEL [THREADS] [WINDOWS]\n");
    return 2;
  }
  try {
    const int n_threads = argc > 2 ? std::atoi(argv[2]) : 1;
    const auto n_windows = static_cast<std::size_t>(argc > 3 ? std::atoi(argv[3]) : 0);
    fmt::print("{}\n", measure(argv[1], n_threads, n_windows).dump());
  } catch (const lq::base::QuantizationError& error) {
    fmt::print(stderr, "evaluation_speed: {}\n  why: {}\n", error.what(), error.why());
    return 1;
  }
  return 0;
}

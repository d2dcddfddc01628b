// judge: what a quantized model, a directory or a GGUF, has lost. See judge.h.

#include <cstdlib>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench/judge/judge.h"
#include "common/base/errors.h"
#include "common/calibration/token_file.h"
#include "common/subject/subject.h"

namespace {

constexpr const char* kUsage =
    "usage: judge ORIGINAL OTHER WINDOWS.json [THREADS]\n"
    "ORIGINAL, OTHER: model directories or GGUF files.\n"
    "WINDOWS.json: a list of lists of token ids. Prints one line of JSON.\n";

nlohmann::ordered_json judge(char** arguments, int n_threads) {
  const auto original = lq::subject::open_subject(arguments[0]);
  const auto other = lq::subject::open_subject(arguments[1]);
  if (other->config().vocab != original->config().vocab) {
    throw lq::base::UsageError("cannot compare the models", "their vocabularies differ",
                               "name the model that the other was made from as the first");
  }
  const auto windows = lq::calibration::read_tokens(
      arguments[2], static_cast<std::size_t>(original->config().vocab));
  const lq::bench::Judge judge({original->config(), original->weights()}, windows,
                               lq::linalg::Compute::kF32, n_threads);
  const lq::bench::Judgement result = judge({other->config(), other->weights()});
  return {{"perplexity", result.perplexity},
          {"reference_perplexity", result.reference_perplexity},
          {"kld_mean", result.kld_mean},
          {"top1", result.top1},
          {"tokens", result.tokens}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    fmt::print(stderr, kUsage);
    return 2;
  }
  try {
    fmt::print("{}\n", judge(argv + 1, argc == 5 ? std::atoi(argv[4]) : 1).dump());
  } catch (const lq::base::QuantizationError& error) {
    fmt::print(stderr, "judge: {}\n  why: {}\n  fix: {}\n", error.what(), error.why(), error.fix());
    return 1;
  }
  return 0;
}

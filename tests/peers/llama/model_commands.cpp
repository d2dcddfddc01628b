// Commands that evaluate a model: token ids, logits, divergence between two files, and input
// statistics.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>
#include <string_view>

#include "tests/peers/llama/commands.h"
#include "tests/peers/llama/files.h"
#include "tests/peers/llama/importance_file.h"
#include "tests/peers/llama/runner.h"

namespace peer {
namespace {

// One by default: the library's threads wait by spinning, which costs most where several tests run
// at once.
int threads(const Arguments& arguments) { return arguments.integer("--threads", 1); }

/// The windows of the token file in operand `index`, as --ctx and --max-windows say.
std::vector<Tokens> windows_of(const Arguments& arguments, std::size_t index) {
  const auto size = static_cast<std::size_t>(arguments.integer("--ctx", 512));
  std::vector<Tokens> windows = read_windows(arguments.operand(index), size);
  if (arguments.has("--max-windows")) {
    const auto most = static_cast<std::size_t>(arguments.integer("--max-windows", 0));
    windows.resize(std::min(windows.size(), most));
  }
  if (windows.empty()) throw std::runtime_error("no tokens in " + arguments.operand(index));
  return windows;
}

double log_sum_exp(std::span<const float> values) {
  const double largest = *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (const float value : values) sum += std::exp(value - largest);
  return std::log(sum) + largest;
}

std::ptrdiff_t argmax(std::span<const float> values) {
  return std::max_element(values.begin(), values.end()) - values.begin();
}

/// How far one model's predictions are from a reference's, position by position.
class DivergenceSums {
 public:
  void add(std::span<const float> reference, std::span<const float> model, std::int32_t next) {
    const double reference_norm = log_sum_exp(reference), model_norm = log_sum_exp(model);
    double divergence = 0;
    for (std::size_t i = 0; i < reference.size(); ++i) {
      const double log_p = reference[i] - reference_norm;
      divergence += std::exp(log_p) * (log_p - (model[i] - model_norm));
    }
    divergences_.push_back(divergence);
    same_top_ += argmax(reference) == argmax(model) ? 1 : 0;
    const auto target = static_cast<std::size_t>(next);
    reference_nll_ += reference_norm - reference[target];
    model_nll_ += model_norm - model[target];
  }

  std::string json() {
    std::sort(divergences_.begin(), divergences_.end());
    const auto n = static_cast<double>(divergences_.size());
    const double mean = std::accumulate(divergences_.begin(), divergences_.end(), 0.0) / n;
    double variance = 0;
    for (const double value : divergences_) variance += (value - mean) * (value - mean) / n;
    return fmt::format(
        "{{\"predictions\":{},\"ref_ppl\":{:.5f},\"ppl\":{:.5f},\"dnll\":{:.6f},\"mean_kld\":{:.8f}"
        ","
        "\"kld_stderr\":{:.8f},\"median_kld\":{:.8f},\"p99_kld\":{:.8f},\"max_kld\":{:.8f},"
        "\"same_top1\":{:.5f}}}",
        divergences_.size(), std::exp(reference_nll_ / n), std::exp(model_nll_ / n),
        (model_nll_ - reference_nll_) / n, mean, std::sqrt(variance / n), quantile(0.5),
        quantile(0.99), divergences_.back(), static_cast<double>(same_top_) / n);
  }

 private:
  double quantile(double fraction) const {
    return divergences_[static_cast<std::size_t>(fraction *
                                                 static_cast<double>(divergences_.size()))];
  }

  std::vector<double> divergences_;
  std::int64_t same_top_ = 0;
  double reference_nll_ = 0, model_nll_ = 0;
};

struct Collection {
  std::map<std::string, ChannelSums> sums;
  bool with_output = false;
};

/// The matrix's name; the scheduler wraps names of moved tensors as `#name#`.
std::string matrix_name(const Tensor& matrix) {
  std::string name = matrix.name;
  if (const std::size_t hash = name.find('#'); hash != std::string::npos) {
    name = name.substr(hash + 1, name.find('#', hash + 1) - hash - 1);
  }
  return name;
}

/// Called by the library before (`ask`) and after each operation; adds up the inputs of matrix
/// products.
bool collect(Tensor* product, bool ask, void* data) {
  Collection& collection = *static_cast<Collection*>(data);
  if (std::strcmp(ggml_op_name(product->op), "MUL_MAT") != 0) return false;
  const Tensor& input = *product->source[1];
  const std::string name = matrix_name(*product->source[0]);
  const bool wanted =
      name.ends_with(".weight") && input.type == kTypeF32 &&
      (name.starts_with("blk.") || (collection.with_output && name == "output.weight"));
  if (ask || !wanted) return wanted;
  ChannelSums& sums = collection.sums[name];
  const auto channels = static_cast<std::size_t>(input.ne[0]);
  sums.squares.resize(channels);
  const auto rows = static_cast<std::size_t>(input.ne[1]);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto* values =
        reinterpret_cast<const float*>(static_cast<const char*>(input.data) + row * input.nb[1]);
    for (std::size_t i = 0; i < channels; ++i) sums.squares[i] += double{values[i]} * values[i];
    ++sums.rows;
  }
  return true;
}

}  // namespace

int tokenize_texts(const Arguments& arguments) {
  std::vector<std::string> texts;
  if (arguments.has("--texts")) {
    texts = nlohmann::json::parse(read_file(arguments.text("--texts", "")))
                .get<std::vector<std::string>>();
  } else if (arguments.has("--file")) {
    texts = {read_file(arguments.text("--file", ""))};
  } else {
    texts = {arguments.operand(2)};
  }
  const nlohmann::json lists =
      tokenize(arguments.operand(1), texts, {arguments.has("--bos"), arguments.has("--special")});
  fmt::print("{}\n", (arguments.has("--texts") ? lists : lists.front()).dump());
  return 0;
}

int logits(const Arguments& arguments) {
  const Tokens ids = read_token_lists(arguments.operand(2)).at(0);
  Runner runner(arguments.operand(1), ids.size(), threads(arguments));
  runner.run(ids);
  if (arguments.operand_count() > 3) {
    std::vector<float> all;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      all.insert(all.end(), runner.logits(i).begin(), runner.logits(i).end());
    }
    write_floats(arguments.operand(3), all);
    fmt::print("{{\"rows\":{},\"cols\":{}}}\n", ids.size(), all.size() / ids.size());
    return 0;
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::span<const float> row = runner.logits(i);
    const std::ptrdiff_t top = argmax(row);
    fmt::print("{} top {} {:.5f}\n", i, top, row[static_cast<std::size_t>(top)]);
  }
  return 0;
}

int divergence(const Arguments& arguments) {
  const std::size_t last = arguments.operand_count() - 1;
  if (last < 3) throw UsageError();
  const std::vector<Tokens> windows = windows_of(arguments, last);
  Runner reference(arguments.operand(1), longest(windows), threads(arguments));
  std::vector<std::unique_ptr<Runner>> models;
  for (std::size_t i = 2; i < last; ++i) {
    models.push_back(
        std::make_unique<Runner>(arguments.operand(i), longest(windows), threads(arguments)));
  }
  const bool second_half = arguments.text("--mode", "all") == "half";
  std::vector<DivergenceSums> sums(models.size());
  for (const Tokens& window : windows) {
    reference.run(window);
    for (std::size_t m = 0; m < models.size(); ++m) {
      models[m]->run(window);
      for (std::size_t i = second_half ? window.size() / 2 : 0; i + 1 < window.size(); ++i) {
        sums[m].add(reference.logits(i), models[m]->logits(i), window[i + 1]);
      }
    }
  }
  for (DivergenceSums& sum : sums) fmt::print("{}\n", sum.json());
  return 0;
}

int collect_importance(const Arguments& arguments) {
  const std::vector<Tokens> windows = windows_of(arguments, 2);
  Collection collection;
  collection.with_output = arguments.has("--output");
  {
    Runner runner(arguments.operand(1), longest(windows), threads(arguments), collect, &collection);
    for (const Tokens& window : windows) runner.run(window);
  }
  write_importance(arguments.operand(3), collection.sums,
                   std::filesystem::path(arguments.operand(2)).filename().string(),
                   static_cast<std::uint32_t>(windows.size()),
                   static_cast<std::uint32_t>(arguments.integer("--ctx", 512)));
  fmt::print("{{\"entries\":{},\"windows\":{}}}\n", collection.sums.size(), windows.size());
  return 0;
}

/// Tokens per second of prompt evaluation in windows of --ctx, logits of the last token of each:
/// the median of --reps rounds, by the wall and by the processor's time.
int bench_prompt(const Arguments& arguments) {
  const int n_tokens = std::stoi(arguments.operand(2));
  const int n_threads = arguments.operand_count() > 3 ? std::stoi(arguments.operand(3)) : 1;
  const int length = arguments.integer("--ctx", 512);
  const int rounds = std::max(1, arguments.integer("--reps", 3));
  Tokens window(static_cast<std::size_t>(length));
  for (std::size_t i = 0; i < window.size(); ++i) window[i] = static_cast<std::int32_t>(i % 250);
  Runner runner(arguments.operand(1), window.size(), n_threads, nullptr, nullptr,
                Evaluation::kUsual);
  const int n_windows = std::max(1, n_tokens / length);
  const auto clock = [](clockid_t id) {
    timespec now{};
    clock_gettime(id, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  };
  std::vector<double> wall, processor;
  for (int round = -1; round < rounds; ++round) {  // the first warms up
    const double start = clock(CLOCK_MONOTONIC), cpu_start = clock(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < n_windows; ++i) runner.run(window, false);
    if (round < 0) continue;
    wall.push_back(n_windows * length / (clock(CLOCK_MONOTONIC) - start));
    processor.push_back(n_windows * length / (clock(CLOCK_PROCESS_CPUTIME_ID) - cpu_start));
  }
  std::sort(wall.begin(), wall.end());
  std::sort(processor.begin(), processor.end());
  fmt::print("{:.2f} {:.2f}\n", wall[wall.size() / 2], processor[processor.size() / 2]);
  return 0;
}

}  // namespace peer

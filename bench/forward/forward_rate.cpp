// The forward pass against oneDNN's own BF16 products of the same shapes, in the same run.
//
//   forward_rate MODEL [--threads N] [--rounds N] [--windows N] [--length N] [--layers N]
//                [--tokens-per-second]
//
// MODEL is a directory with weights of a Llama-like model, of which the first --layers (2) layers
// are taken; a batch is --windows (4) texts of --length (512) tokens. Each round measures, one after
// the other: oneDNN's matmul on whole matrices in its best layout; the forward pass; the pass with
// sums of channels and Gram matrices at every site. Rates count the products of linear layers alone
// (and the half of a Gram matrix that is needed), so what else the pass does shows as a loss.
// Medians of the rounds; one thread is measured by processor time, several by the wall.
//
// --tokens-per-second: only the pass, through all layers and the output head of the last token of
// each window; prints the rate by the wall and by the processor's time.

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fmt/format.h>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "bench/forward/plain_products.h"
#include "common/forward/layer_pass.h"
#include "common/kernels/channel_sums.h"
#include "common/linalg/gram.h"
#include "common/linalg/product.h"
#include "common/model/checkpoint.h"
#include "common/parallel/parallel_for.h"

namespace {

using namespace lq;
using linalg::Compute;
using linalg::Matrix;

struct Options {
  std::string model;
  int threads = static_cast<int>(std::thread::hardware_concurrency());
  int rounds = 5, layers = 2;
  std::size_t windows = 4, length = 512;
  bool tokens_per_second = false;
};

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}
double seconds(int n_threads) {
  return seconds_of(n_threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Adds up where time goes; a step lasts from the mark before it.
class Steps {
 public:
  explicit Steps(int n_threads) : n_threads_(n_threads) {}
  void start() { last_ = seconds(n_threads_); }
  void mark(const std::string& step) {
    const double now = seconds(n_threads_);
    if (!times_.contains(step)) order_.push_back(step);
    times_[step] += now - last_;
    last_ = now;
  }
  double total() const {
    double sum = 0;
    for (const auto& [step, time] : times_) sum += time;
    return sum;
  }
  const std::vector<std::string>& order() const { return order_; }
  double of(const std::string& step) const { return times_.at(step); }

 private:
  int n_threads_;
  double last_ = 0;
  std::vector<std::string> order_;
  std::map<std::string, double> times_;
};

/// What calibration keeps of one site.
struct SiteSums {
  linalg::AlignedVector<float> gram;
  std::vector<float> max_abs;
  std::vector<double> sum, sum_abs, sum_sq;

  explicit SiteSums(std::size_t d) : gram(d * d), max_abs(d), sum(d), sum_abs(d), sum_sq(d) {}
};

class Bench {
 public:
  Bench(const model::Checkpoint& checkpoint, const Options& options)
      : config_(checkpoint.config),
        weights_(checkpoint),
        options_(options),
        pass_(config_, Compute::kBf16, options.threads),
        grams_(options.threads),
        windows_{std::vector<std::size_t>(options.windows, options.length)} {
    const int n = options.tokens_per_second ? static_cast<int>(config_.n_layers)
                                            : std::min(options.layers, int(config_.n_layers));
    for (int layer = 0; layer < n; ++layer) {
      layers_.push_back(
          forward::load_layer(weights_, config_, layer, Compute::kBf16, options.threads));
    }
    for (std::size_t i = 0; i < windows_.n_tokens(); ++i) {
      ids_.push_back(static_cast<std::int32_t>(i * 7919 % static_cast<std::size_t>(config_.vocab)));
    }
    embedded_ = forward::embed(weights_, ids_, hidden());
  }

  std::size_t hidden() const { return static_cast<std::size_t>(config_.hidden); }
  std::size_t n_tokens() const { return windows_.n_tokens(); }

  /// All layers over the batch.
  void forward(Steps& steps, bool with_statistics) {
    result_ = embedded_;
    const std::span<float> h = result_;
    steps.start();
    for (const forward::Layer& layer : layers_) {
      const Matrix& x = pass_.attention_input(layer, h);
      steps.mark("norms");
      if (with_statistics) add_statistics("attn_in", x, steps);
      const Matrix& attended = pass_.attend(layer, windows_, x);
      steps.mark("q, k, v, attention");
      if (with_statistics) add_statistics("attn_out", attended, steps);
      pass_.attention_output(layer, attended, h);
      steps.mark("attention output");
      const Matrix& mlp = pass_.mlp_input(layer, h);
      steps.mark("norms");
      if (with_statistics) add_statistics("mlp_in", mlp, steps);
      const Matrix& activation = pass_.mlp_activation(layer, mlp);
      steps.mark("gate, up, silu");
      if (with_statistics) add_statistics("mlp_down", activation, steps);
      pass_.mlp_output(layer, activation, h);
      steps.mark("down");
    }
  }

  /// The output head on the last token of each window.
  void head(const std::vector<float>& norm, const forward::Linear& output) {
    std::vector<float> last, logits(options_.windows * output.weight.rows());
    for (std::size_t i = 1; i <= options_.windows; ++i) {
      const float* const row = result_.data() + (i * options_.length - 1) * hidden();
      last.insert(last.end(), row, row + hidden());
    }
    linalg::multiply(pass_.normalized(norm, last), output.weight, logits.data(),
                     linalg::Into::kReplace, options_.threads);
  }
  std::vector<float> head_norm() const {
    return forward::load_vector(weights_, {model::TensorRole::kOutputNorm});
  }
  forward::Linear head_weight() const {
    return forward::load_linear(weights_, config_, model::TensorRole::kOutput, -1, Compute::kBf16,
                                options_.threads);
  }

  /// The products of all layers.
  std::vector<bench::ProductShape> shapes() const {
    std::vector<bench::ProductShape> shapes;
    for (const forward::Layer& layer : layers_) {
      for (const forward::Linear* linear :
           {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down}) {
        shapes.push_back({n_tokens(), linear->weight.rows(), linear->weight.columns()});
      }
    }
    return shapes;
  }
  double gram_flops() const {
    double flops = 0;
    for (const auto& [name, site] : sites_) {
      const auto d = static_cast<double>(site.sum.size());
      flops += static_cast<double>(layers_.size() * n_tokens()) * d * (d + 1);
    }
    return flops;
  }

 private:
  void add_statistics(const std::string& name, const Matrix& x, Steps& steps) {
    SiteSums& site = sites_.try_emplace(name, x.columns()).first->second;
    constexpr std::size_t kStrip = 256;
    const std::size_t n_strips = (x.columns() + kStrip - 1) / kStrip;
    parallel::parallel_for(n_strips, options_.threads, [&](std::size_t strip, int) {
      const std::size_t at = strip * kStrip;
      kernels::add_channel_sums(x.dtype(), x.at(0, at), x.rows(), x.row_bytes(),
                                std::min(kStrip, x.columns() - at),
                                {site.sum.data() + at, site.sum_abs.data() + at,
                                 site.sum_sq.data() + at, site.max_abs.data() + at});
    });
    steps.mark("sums of channels");
    grams_.add(x, site.gram.data());
    steps.mark("Gram matrices");
  }

  const model::ModelConfig& config_;
  forward::CheckpointWeights weights_;
  const Options& options_;
  std::vector<forward::Layer> layers_;
  forward::LayerPass pass_;
  linalg::GramProducts grams_;
  forward::Windows windows_;
  std::vector<std::int32_t> ids_;
  std::vector<float> embedded_, result_;
  std::map<std::string, SiteSums> sites_;
};

void print_steps(const char* title, const Steps& steps, int rounds) {
  fmt::print("\n{}: {:.1f} ms\n", title, 1e3 * steps.total() / rounds);
  for (const std::string& step : steps.order()) {
    fmt::print("  {:<22} {:>9.1f} ms {:>6.1f} %\n", step, 1e3 * steps.of(step) / rounds,
               100 * steps.of(step) / steps.total());
  }
}

void compare(Bench& bench, const Options& options) {
  const std::vector<bench::ProductShape> shapes = bench.shapes();
  double flops = 0;
  for (const auto& shape : shapes) flops += shape.flops();
  bench::PlainProducts to_f32(shapes, options.threads, false);
  bench::PlainProducts to_bf16(shapes, options.threads, true);
  Steps forward_steps(options.threads), gram_steps(options.threads), warm_up(options.threads);
  to_f32.run();
  to_bf16.run();
  bench.forward(warm_up, true);
  std::vector<double> own, forward, gram, forward_share, gram_share;
  for (int round = 0; round < options.rounds; ++round) {
    const double start = seconds(options.threads);
    to_f32.run();
    const double middle = seconds(options.threads);
    to_bf16.run();
    const double best = std::min(middle - start, seconds(options.threads) - middle);
    const double forward_before = forward_steps.total(), gram_before = gram_steps.total();
    bench.forward(forward_steps, false);
    bench.forward(gram_steps, true);
    own.push_back(flops / best);
    forward.push_back(flops / (forward_steps.total() - forward_before));
    gram.push_back((flops + bench.gram_flops()) / (gram_steps.total() - gram_before));
    forward_share.push_back(forward.back() / own.back());
    gram_share.push_back(gram.back() / own.back());
  }
  fmt::print("{} tokens, {} layers, {} thread(s), median of {} rounds\n", bench.n_tokens(),
             shapes.size() / 7, options.threads, options.rounds);
  fmt::print("{:<34} {:>9} {:>11}\n", "", "GFLOP/s", "of oneDNN's");
  fmt::print("{:<34} {:>9.0f}\n", "oneDNN's products", median(own) / 1e9);
  fmt::print("{:<34} {:>9.0f} {:>9.0f} %\n", "forward", median(forward) / 1e9,
             100 * median(forward_share));
  fmt::print("{:<34} {:>9.0f} {:>9.0f} %\n", "forward, sums and Gram matrices", median(gram) / 1e9,
             100 * median(gram_share));
  print_steps("forward", forward_steps, options.rounds);
  print_steps("forward, sums and Gram matrices", gram_steps, options.rounds);
}

void print_tokens_per_second(Bench& bench, const Options& options) {
  const std::vector<float> norm = bench.head_norm();
  const forward::Linear output = bench.head_weight();
  const auto n_tokens = static_cast<double>(bench.n_tokens());
  std::vector<double> wall, processor;
  for (int round = -1; round < options.rounds; ++round) {  // the first warms up
    Steps steps(options.threads);
    const double start = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    bench.forward(steps, false);
    bench.head(norm, output);
    if (round < 0) continue;
    wall.push_back(n_tokens / (seconds_of(CLOCK_MONOTONIC) - start));
    processor.push_back(n_tokens / (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu));
  }
  fmt::print("{:.2f} {:.2f}\n", median(wall), median(processor));
}

bool parse(int argc, char** argv, Options& options) {
  if (argc < 2) return false;
  options.model = argv[1];
  for (int i = 2; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--tokens-per-second") {
      options.tokens_per_second = true;
      continue;
    }
    const int value = i + 1 < argc ? std::atoi(argv[++i]) : 0;
    if (value <= 0) return false;
    if (name == "--threads") {
      options.threads = value;
    } else if (name == "--rounds") {
      options.rounds = value;
    } else if (name == "--layers") {
      options.layers = value;
    } else if (name == "--windows") {
      options.windows = static_cast<std::size_t>(value);
    } else if (name == "--length") {
      options.length = static_cast<std::size_t>(value);
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    fmt::print(stderr,
               "usage: forward_rate MODEL [--threads N] [--rounds N] [--layers N] [--windows N] "
               "[--length N] [--tokens-per-second]\n");
    return 2;
  }
  try {
    const model::Checkpoint checkpoint = model::open_checkpoint(options.model);
    Bench bench(checkpoint, options);
    if (options.tokens_per_second) {
      print_tokens_per_second(bench, options);
    } else {
      compare(bench, options);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "forward_rate: {}\n", error.what());
    return 1;
  }
}

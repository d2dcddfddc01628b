// Commands on raw blocks: the library's encoder and decoder, and the encoder's speed and error on a
// fixed matrix.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <ctime>
#include <fmt/format.h>
#include <stdexcept>
#include <vector>

#include "tests/peers/llama/commands.h"
#include "tests/peers/llama/files.h"
#include "tests/peers/llama/llama_api.h"
#include "tests/peers/llama/matrix.h"

namespace peer {
namespace {

struct Matrix {
  std::vector<float> values;  // [rows, columns]
  std::int64_t rows = 0, columns = 0;
};

std::vector<char> encode_matrix(std::int32_t type, const Matrix& matrix, const float* weights) {
  std::vector<char> blocks(ggml_row_size(type, matrix.columns) *
                           static_cast<std::size_t>(matrix.rows));
  ggml_quantize_chunk(type, matrix.values.data(), blocks.data(), 0, matrix.rows, matrix.columns,
                      weights);
  return blocks;
}

double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

struct ErrorSums {
  double squared = 0, weighted = 0, power = 0, weighted_power = 0;
};

ErrorSums errors_of(std::int32_t type, const Matrix& matrix, const std::vector<float>& weights,
                    const std::vector<char>& blocks) {
  const auto columns = static_cast<std::size_t>(matrix.columns);
  const std::size_t row_bytes = ggml_row_size(type, matrix.columns);
  std::vector<float> decoded(columns);
  ErrorSums sums;
  for (std::size_t row = 0; row < static_cast<std::size_t>(matrix.rows); ++row) {
    ggml_get_type_traits(type)->to_float(blocks.data() + row * row_bytes, decoded.data(),
                                         matrix.columns);
    for (std::size_t i = 0; i < columns; ++i) {
      const double value = matrix.values[row * columns + i], error = decoded[i] - value;
      sums.squared += error * error;
      sums.weighted += weights[i] * error * error;
      sums.power += value * value;
      sums.weighted_power += weights[i] * value * value;
    }
  }
  return sums;
}

}  // namespace

int encode(const Arguments& arguments) {
  const std::int32_t type = type_id(arguments.operand(1));
  Matrix matrix{read_floats(arguments.operand(2)), 0, std::stoll(arguments.operand(3))};
  matrix.rows = static_cast<std::int64_t>(matrix.values.size()) / matrix.columns;
  std::vector<float> weights;
  if (arguments.operand_count() > 5) weights = read_floats(arguments.operand(5));
  ggml_quantize_init(type);
  write_file(arguments.operand(4),
             encode_matrix(type, matrix, weights.empty() ? nullptr : weights.data()));
  return 0;
}

int decode(const Arguments& arguments) {
  const TypeTraits* traits = ggml_get_type_traits(type_id(arguments.operand(1)));
  if (traits->to_float == nullptr) throw std::runtime_error("the library cannot decode this type");
  const std::string blocks = read_file(arguments.operand(2));
  const auto n_blocks = static_cast<std::int64_t>(blocks.size() / traits->block_bytes);
  std::vector<float> values(static_cast<std::size_t>(n_blocks * traits->block_elems));
  traits->to_float(blocks.data(), values.data(), n_blocks * traits->block_elems);
  write_floats(arguments.operand(3), values);
  fmt::print("{} values\n", values.size());
  return 0;
}

int bench_encode(const Arguments& arguments) {
  const std::int32_t type = type_id(arguments.operand(1));
  const TypeTraits* traits = ggml_get_type_traits(type);
  Matrix matrix{{}, std::stoll(arguments.operand(2)), std::stoll(arguments.operand(3))};
  const std::uint64_t seed = std::stoull(arguments.operand(4));
  const bool weighted = arguments.operand_count() > 5 && arguments.operand(5) != "none";
  const std::string distribution = arguments.text("--dist", "gauss");
  if (!weighted && ggml_quantize_requires_imatrix(type)) {
    fmt::print("{{\"type\":\"{}\",\"skipped\":\"needs an importance matrix\"}}\n", traits->name);
    return 0;
  }
  matrix.values =
      make_matrix(static_cast<std::size_t>(matrix.rows * matrix.columns), seed, distribution);
  const std::vector<float> weights = make_weights(static_cast<std::size_t>(matrix.columns), seed);
  ggml_quantize_init(type);
  std::vector<double> times;
  std::vector<char> blocks;
  for (int i = 0; i < arguments.integer("--reps", 3); ++i) {
    const double start = thread_seconds();
    blocks = encode_matrix(type, matrix, weighted ? weights.data() : nullptr);
    times.push_back(thread_seconds() - start);
  }
  std::sort(times.begin(), times.end());
  const double median = times.at(times.size() / 2);
  const ErrorSums errors = errors_of(type, matrix, weights, blocks);
  const auto n = static_cast<double>(matrix.values.size());
  fmt::print(
      "{{\"type\":\"{}\",\"dist\":\"{}\",\"imatrix\":{},\"bpw\":{:.4f},\"mb_per_s\":{:.2f},"
      "\"cpu_s\":{:.4f},\"rmse\":{:.6e},\"rel_rmse\":{:.6f},\"wrel_rmse\":{:.6f},\"valid\":{}}}\n",
      traits->name, distribution, weighted ? 1 : 0,
      8.0 * static_cast<double>(traits->block_bytes) / static_cast<double>(traits->block_elems),
      n * 4e-6 / median, median, std::sqrt(errors.squared / n),
      std::sqrt(errors.squared / errors.power), std::sqrt(errors.weighted / errors.weighted_power),
      ggml_validate_row_data(type, blocks.data(), blocks.size()) ? 1 : 0);
  if (arguments.has("--dump")) write_file(arguments.text("--dump", ""), blocks);
  if (arguments.has("--dump-input"))
    write_floats(arguments.text("--dump-input", ""), matrix.values);
  if (arguments.has("--dump-weights")) write_floats(arguments.text("--dump-weights", ""), weights);
  return 0;
}

}  // namespace peer

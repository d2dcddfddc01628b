// Every encoder of the codec table against llama.cpp's on the same input, in the same run.
//
//   LLAMA_PEER_LIB=FOLDER encode_vs_ggml [TENSOR.f32 COLUMNS] [TYPE...]
//
// For each type, with and without importance, on normal rows, heavy-tailed rows (Student's t with 4
// degrees of freedom) and, when a file of float32 is given, a real tensor: MB/s of float32 input on
// one thread (processor time, median of alternating runs), the ratio of speeds, and the ratio of
// squared errors (weighted by the importance where there is one). Above 1 is faster; at most 1 is
// no worse.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fmt/format.h>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "common/codec/codec.h"
#include "common/kernels/target.h"
#include "tests/support/ggml_library.h"

namespace {

struct Input {
  std::string name;
  std::vector<float> x;
  std::int64_t columns = 0;
  std::vector<float> importance;

  std::int64_t n_rows() const { return static_cast<std::int64_t>(x.size()) / columns; }
};

// Importance as calibration gives it: positive, a few columns far above the rest.
std::vector<float> random_importance(std::int64_t columns) {
  std::mt19937 random(7);
  std::lognormal_distribution<float> spread(0.0F, 1.0F);
  std::vector<float> importance(static_cast<std::size_t>(columns));
  for (float& value : importance) value = spread(random);
  return importance;
}

template <class Distribution>
Input random_input(const char* name, Distribution distribution) {
  constexpr std::int64_t kColumns = 1024;
  std::mt19937 random(1);
  Input input{name, std::vector<float>(256 * kColumns), kColumns, random_importance(kColumns)};
  for (float& value : input.x) value = 0.02F * distribution(random);
  return input;
}

Input read_input(const char* path, std::int64_t columns) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file || columns <= 0) {
    fmt::print(stderr, "cannot read {}\n", path);
    std::exit(2);
  }
  const auto elems = std::min<std::int64_t>(static_cast<std::int64_t>(file.tellg()) / 4, 1 << 18);
  Input input{"tensor", {}, columns, random_importance(columns)};
  input.x.resize(static_cast<std::size_t>(elems / columns * columns));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(input.x.data()),
            static_cast<std::streamsize>(input.x.size() * sizeof(float)));
  return input;
}

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

double squared_error(const Input& input, const std::vector<float>& decoded,
                     const float* importance) {
  double sum = 0;
  for (std::size_t i = 0; i < input.x.size(); ++i) {
    const double off = double{decoded[i]} - double{input.x[i]};
    const double weight = importance == nullptr
                              ? 1.0
                              : double{importance[i % static_cast<std::size_t>(input.columns)]};
    sum += weight * off * off;
  }
  return sum;
}

void compare(const lq::testing::GgmlLibrary& ggml, const lq::codec::Codec& codec,
             const Input& input, bool weighted) {
  const float* const importance = weighted ? input.importance.data() : nullptr;
  const auto type = static_cast<std::uint32_t>(codec.type);
  std::vector<std::byte> ours(codec.bytes_for(input.x.size()));
  std::vector<std::byte> theirs(ours.size());
  std::vector<double> our_seconds;
  std::vector<double> their_seconds;
  for (int run = 0; run < 5; ++run) {
    const double start = thread_seconds();
    codec.encode({input.x.data(), input.n_rows(), input.columns, importance}, ours.data());
    const double middle = thread_seconds();
    ggml.quantize(type, input.x.data(), theirs.data(), input.n_rows(), input.columns, importance);
    our_seconds.push_back(middle - start);
    their_seconds.push_back(thread_seconds() - middle);
  }
  std::vector<float> decoded(input.x.size());
  codec.decode(ours.data(), decoded.data(), decoded.size());
  const double our_error = squared_error(input, decoded, importance);
  codec.decode(theirs.data(), decoded.data(), decoded.size());
  const double their_error = squared_error(input, decoded, importance);
  const double megabytes = static_cast<double>(input.x.size() * sizeof(float)) / 1e6;
  fmt::print("{:6} {:10} {:8} {:9.1f} {:9.1f} {:8.2f} {:9.4f} {}\n", codec.name,
             weighted ? "importance" : "none", input.name, megabytes / median(our_seconds),
             megabytes / median(their_seconds), median(their_seconds) / median(our_seconds),
             their_error > 0 ? our_error / their_error : 1.0, ours == theirs ? "same bytes" : "");
}

}  // namespace

int main(int argc, char** argv) {
  const lq::testing::GgmlLibrary* const ggml = lq::testing::GgmlLibrary::open();
  if (ggml == nullptr) {
    fmt::print(stderr, "LLAMA_PEER_LIB does not name a folder with libggml-base.so\n");
    return 2;
  }
  std::vector<Input> inputs = {random_input("normal", std::normal_distribution<float>()),
                               random_input("t4", std::student_t_distribution<float>(4.0F))};
  int next = 1;
  if (argc >= 3 && std::atoll(argv[2]) > 0) {
    inputs.push_back(read_input(argv[1], std::atoll(argv[2])));
    next = 3;
  }
  const std::vector<std::string> wanted(argv + next, argv + argc);
  fmt::print("instruction set: {}\n", lq::kernels::active_target());
  fmt::print("{:6} {:10} {:8} {:>9} {:>9} {:>8} {:>9}\n", "type", "weights", "input", "MB/s",
             "peer", "speed x", "error /");
  for (const lq::codec::Codec& codec : lq::codec::codecs()) {
    if (codec.encode == nullptr) continue;
    if (!wanted.empty() && std::ranges::find(wanted, codec.name) == wanted.end()) continue;
    for (const Input& input : inputs) {
      if (input.columns % codec.block_elems != 0) continue;
      compare(*ggml, codec, input, false);
      if (codec.quantized) compare(*ggml, codec, input, true);
    }
  }
  return 0;
}

// Elements per second of every encoder and decoder of the codec table, on one thread.

#include <benchmark/benchmark.h>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "common/codec/codec.h"

namespace lq::bench {
namespace {

constexpr std::int64_t kRows = 64, kColumns = 4096;

std::vector<float> normal_values(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, 0.02F);
  std::vector<float> values(n);
  for (float& value : values) value = normal(random);
  return values;
}

void encode(benchmark::State& state, const codec::Codec& codec, bool weighted) {
  const std::vector<float> x = normal_values(kRows * kColumns, 1);
  std::vector<float> importance = normal_values(kColumns, 2);
  for (float& value : importance) value = value * value;
  std::vector<std::byte> blocks(codec.bytes_for(kRows * kColumns));
  const codec::Rows rows{x.data(), kRows, kColumns, weighted ? importance.data() : nullptr};
  for (auto _ : state) codec.encode(rows, blocks.data());
  state.SetItemsProcessed(state.iterations() * kRows * kColumns);
}

void decode(benchmark::State& state, const codec::Codec& codec) {
  const std::vector<float> x = normal_values(kRows * kColumns, 1);
  std::vector<std::byte> blocks(codec.bytes_for(kRows * kColumns));
  codec.encode({x.data(), kRows, kColumns, nullptr}, blocks.data());
  std::vector<float> out(x.size());
  for (auto _ : state) codec.decode(blocks.data(), out.data(), out.size());
  state.SetItemsProcessed(state.iterations() * kRows * kColumns);
}

void register_all() {
  for (const codec::Codec& codec : codec::codecs()) {
    if (codec.encode == nullptr) continue;
    const std::string name(codec.name);
    const auto add = [](const std::string& title, auto&& run) {
      benchmark::RegisterBenchmark(title.c_str(), run)->Unit(benchmark::kMillisecond);
    };
    add("encode/" + name, [&codec](benchmark::State& state) { encode(state, codec, false); });
    add("encode_weighted/" + name,
        [&codec](benchmark::State& state) { encode(state, codec, true); });
    add("decode/" + name, [&codec](benchmark::State& state) { decode(state, codec); });
  }
}

}  // namespace
}  // namespace lq::bench

int main(int argc, char** argv) {
  lq::bench::register_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

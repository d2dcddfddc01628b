// make_model: writes a synthetic model directory. See synthetic_model.h.

#include <cstdlib>
#include <exception>
#include <fmt/format.h>
#include <string>

#include "bench/model/synthetic_model.h"

namespace {

constexpr const char* kUsage =
    "usage: make_model OUT [--layers N] [--hidden N] [--ffn N] [--heads N] [--kv-heads N] "
    "[--vocab N] [--dtype BF16|F16|F32] [--shard-size BYTES] [--seed N] "
    "[--norm-deviation X]\n";

bool set_option(lq::bench::ModelShape& shape, const std::string& option, const std::string& value) {
  const auto number = [&] { return std::stoi(value); };
  if (option == "--layers") return shape.layers = number(), true;
  if (option == "--hidden") return shape.hidden = number(), true;
  if (option == "--ffn") return shape.ffn = number(), true;
  if (option == "--heads") return shape.heads = number(), true;
  if (option == "--kv-heads") return shape.kv_heads = number(), true;
  if (option == "--vocab") return shape.vocab = number(), true;
  if (option == "--dtype") return shape.dtype = value, true;
  if (option == "--shard-size") return shape.shard_bytes = std::stoull(value), true;
  if (option == "--norm-deviation") return shape.norm_deviation = std::stof(value), true;
  if (option == "--seed") return shape.seed = std::stoull(value), true;
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 2 && std::string(argv[1]) == "--help") {
    fmt::print(kUsage);
    return 0;
  }
  if (argc < 2 || argc % 2 != 0 || argv[1][0] == '-') {
    fmt::print(stderr, kUsage);
    return 2;
  }
  try {
    lq::bench::ModelShape shape;
    for (int i = 2; i < argc; i += 2) {
      if (!set_option(shape, argv[i], argv[i + 1])) {
        fmt::print(stderr, "make_model: unknown option {}\n{}", argv[i], kUsage);
        return 2;
      }
    }
    lq::bench::write_model(argv[1], shape);
  } catch (const std::exception& error) {
    fmt::print(stderr, "make_model: {}\n", error.what());
    return 1;
  }
  fmt::print("{}\n", argv[1]);
  return 0;
}

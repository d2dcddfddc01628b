#pragma once
// A Hugging Face model directory of given shapes with random weights, for benches and tests that
// need size and not sense: sharded safetensors with an index, config.json, and a valid byte-level
// BPE tokenizer of the vocabulary's size.
//
// The weights are one block of normal values written round and round, each tensor from a place of
// its own. The block's length is odd, so that rows differ; writing is then as fast as the disk.

#include <cstdint>
#include <filesystem>
#include <string>

namespace lq::bench {

struct ModelShape {
  int layers = 2;
  int hidden = 256;
  int ffn = 768;
  int heads = 8;
  int kv_heads = 4;
  int vocab = 2048;
  std::string dtype = "BF16";  // BF16, F16 or F32
  std::uint64_t shard_bytes =
      5'000'000'000;  // of one safetensors file, at most (but at least one tensor)
  std::uint64_t seed = 1;
  float norm_deviation = 0.05F;  // of the weights of norms around 1; large: channels of all sizes
};

/// Throws std::runtime_error when a file cannot be written or the shape makes no sense.
void write_model(const std::filesystem::path& folder, const ModelShape& shape);

/// tokenizer.json and tokenizer_config.json. REQUIRES: vocab >= 258 (256 bytes, begin and end of
/// text).
void write_tokenizer(const std::filesystem::path& folder, int vocab);

}  // namespace lq::bench

#pragma once
// llama.cpp's importance-matrix files: both layouts read, the newer one (GGUF with `NAME.in_sum2`
// and `NAME.counts`) written.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace peer {

/// Mean square of each input channel, per tensor, as the quantizer wants it.
using Importance = std::map<std::string, std::vector<float>>;
Importance read_importance(const std::string& path);

struct ChannelSums {
  std::vector<double> squares;  // per input channel
  std::int64_t rows = 0;        // vectors added
};

/// `window` is the number of tokens per evaluated piece, `n_windows` how many there were.
void write_importance(const std::string& path, const std::map<std::string, ChannelSums>& sums,
                      const std::string& dataset, std::uint32_t n_windows, std::uint32_t window);

}  // namespace peer

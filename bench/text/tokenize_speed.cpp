// Megabytes of English text per second of processor time on one thread, for the tokenizers of the
// directories named, and how that compares with the 5 MB/s that a core must reach.
//
//   tokenize_speed TEXT DIR...

#include <ctime>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <string>

#include "common/text/tokenizer.h"

namespace {

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: tokenize_speed TEXT DIR...\n");
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  fmt::print("{:<40} {:>10} {:>12} {:>8} {:>8}\n", "tokenizer", "load s", "tokens", "MB/s", "of 5");
  for (int i = 2; i < argc; ++i) {
    const double start = processor_seconds();
    const lq::text::Tokenizer tokenizer = lq::text::open_tokenizer(argv[i]);
    const double loaded = processor_seconds();
    const std::size_t n_tokens = tokenizer.encode(text, true).ids.size();
    const double rate = static_cast<double>(text.size()) / 1e6 / (processor_seconds() - loaded);
    fmt::print("{:<40} {:>10.2f} {:>12} {:>8.1f} {:>8.1f}\n",
               std::filesystem::path(argv[i]).parent_path().filename().string(), loaded - start,
               n_tokens, rate, rate / 5);
  }
}

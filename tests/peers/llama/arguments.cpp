#include "tests/peers/llama/arguments.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

namespace peer {
namespace {

constexpr std::array<std::string_view, 15> kWithValue = {
    "--lib",        "--ctx",          "--mode",        "--threads",     "--max-windows",
    "--file",       "--texts",        "--dist",        "--reps",        "--dump",
    "--dump-input", "--dump-weights", "--tensor-type", "--output-type", "--embd-type",
};

}  // namespace

Arguments::Arguments(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!word.starts_with('-') || word.size() == 1) {
      operands_.push_back(word);
    } else if (std::find(kWithValue.begin(), kWithValue.end(), word) != kWithValue.end()) {
      if (i + 1 >= argc) throw UsageError();
      options_[word] = argv[++i];
    } else {
      options_[word] = "";
    }
  }
}

const std::string& Arguments::operand(std::size_t index) const {
  if (index >= operands_.size()) throw UsageError();
  return operands_[index];
}

std::string Arguments::text(const std::string& option, const std::string& otherwise) const {
  const auto found = options_.find(option);
  return found == options_.end() ? otherwise : found->second;
}

int Arguments::integer(const std::string& option, int otherwise) const {
  return has(option) ? std::atoi(text(option, "").c_str()) : otherwise;
}

}  // namespace peer

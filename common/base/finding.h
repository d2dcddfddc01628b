#pragma once
// What is wrong with a result, or odd about it.

#include <cstdint>
#include <string>
#include <vector>

namespace lq::base {

enum class Weight : std::uint8_t {
  kFault,   // the result is not good: exit code 6
  kRemark,  // a reader may want to know
};

struct Finding {
  std::string check;   // that found it, from the list of checks: "scales", "tokenizer"
  std::string tensor;  // that it is about; empty: all of the result
  std::string what;    // a sentence's beginning, lower case, without names of other things
  std::string why;     // what follows from it, or how it is known
  Weight weight = Weight::kFault;
};

using Findings = std::vector<Finding>;

}  // namespace lq::base

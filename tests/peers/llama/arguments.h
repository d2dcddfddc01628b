#pragma once
// The harness's command line: operands in order, and `--name value` or `--name` options anywhere.

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace peer {

struct UsageError {};

class Arguments {
 public:
  Arguments(int argc, char** argv);

  const std::string& operand(std::size_t index) const;  // throws UsageError when it is missing
  std::size_t operand_count() const { return operands_.size(); }
  bool has(const std::string& option) const { return options_.contains(option); }
  std::string text(const std::string& option, const std::string& otherwise) const;
  int integer(const std::string& option, int otherwise) const;

 private:
  std::vector<std::string> operands_;
  std::map<std::string, std::string> options_;
};

}  // namespace peer

#pragma once
// The environment variables of the process, as a value that tests can make up.

#include <initializer_list>
#include <map>
#include <string>
#include <utility>

namespace lq::base {

class Environment {
 public:
  Environment() = default;
  Environment(std::initializer_list<std::pair<const std::string, std::string>> variables)
      : variables_(variables) {}
  static Environment of_process();

  /// Empty when the variable is not set: everything read here treats both alike.
  std::string get(const std::string& name) const;

 private:
  std::map<std::string, std::string> variables_;
};

}  // namespace lq::base

#include "common/base/environment.h"

#include <string_view>
#include <unistd.h>

namespace lq::base {

Environment Environment::of_process() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    environment.variables_.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

std::string Environment::get(const std::string& name) const {
  const auto variable = variables_.find(name);
  return variable == variables_.end() ? std::string() : variable->second;
}

}  // namespace lq::base

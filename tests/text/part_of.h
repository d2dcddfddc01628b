#pragma once
// A part of a tokenizer.json written in the test.

#include <nlohmann/json.hpp>
#include <string>

#include "common/text/tokenizer_part.h"

namespace lq::testing {

struct PartOf {
  explicit PartOf(const std::string& text, std::string_view role = "part")
      : json(nlohmann::json::parse(text)), part(json, file, role) {}
  PartOf(const PartOf&) = delete;
  PartOf& operator=(const PartOf&) = delete;

  std::filesystem::path file = "m/tokenizer.json";
  nlohmann::json json;
  text::TokenizerPart part;
};

}  // namespace lq::testing

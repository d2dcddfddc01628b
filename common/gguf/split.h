#pragma once
// Split models: names of the parts, and the keys by which the parts know each other.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/gguf/metadata.h"

namespace lq::gguf {

/// The name of part `part`, counted from 0: ("model", 0, 3) and ("model.gguf", 0, 3) ->
/// "model-00001-of-00003.gguf".
std::string split_name(const std::string& stem, std::size_t part, std::size_t n_parts);

struct SplitKeys {
  std::uint16_t number = 0;  // from 0
  std::uint16_t count = 1;
  std::int32_t n_tensors = 0;  // over all parts
};

/// Nothing for a file that is not split. Throws ValidationError, with `subject` as its first part,
/// when the keys have wrong types or contradict each other.
std::optional<SplitKeys> split_keys(const Metadata& metadata, const std::string& subject);
void set_split_keys(Metadata& metadata, const SplitKeys& keys);

/// "model" when `file_name` is what split_name() makes of "model" and these keys.
std::optional<std::string> split_stem(std::string_view file_name, const SplitKeys& keys);

}  // namespace lq::gguf

// The file types, one row each, in the order of their ids. The rules are llama.cpp's, checked
// against its quantizer tensor by tensor.

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/mix/type_mix.h"

namespace lq::mix {
namespace {

using enum codec::QuantType;
using enum When;

constexpr std::string_view kCoarse =
    "at 2 and 3 bits the encoder must know which columns matter: --calibration DIR "
    "(lq-calibrate makes one) or --imatrix FILE";

constexpr std::array kFileTypes = {
    FileType{.name = "F32", .id = 0, .base = kF32},
    FileType{.name = "F16", .id = 1, .base = kF16},
    FileType{.name = "Q4_0",
             .id = 2,
             .base = kQ4_0,
             .output = kQ6K,
             .down = {Clause{kFirstEighthWeighted, kQ4_1}}},
    FileType{.name = "Q4_1", .id = 3, .base = kQ4_1, .output = kQ6K},
    FileType{.name = "Q8_0", .id = 7, .base = kQ8_0},
    FileType{.name = "Q5_0",
             .id = 8,
             .base = kQ5_0,
             .output = kQ6K,
             .down = {Clause{kFirstEighthWeighted, kQ5_1}}},
    FileType{.name = "Q5_1", .id = 9, .base = kQ5_1, .output = kQ6K},
    FileType{.name = "Q2_K",
             .id = 10,
             .base = kQ2K,
             .output = kQ6K,
             .v = {Clause{kGroupedQueries, kQ4K}, Clause{kAlways, kQ3K}},
             .o = {Clause{kAlways, kQ3K}},
             .down = {Clause{kAlways, kQ3K}},
             .without_importance = kCoarse},
    FileType{
        .name = "Q3_K_S", .id = 11, .base = kQ3K, .output = kQ6K, .without_importance = kCoarse},
    FileType{.name = "Q3_K_M",
             .id = 12,
             .base = kQ3K,
             .output = kQ6K,
             .v = {Clause{kFirstTwo, kQ5K}, Clause{kAlways, kQ4K}},
             .o = {Clause{kAlways, kQ4K}},
             .down = {Clause{kFirstSixteenth, kQ5K}, Clause{kAlways, kQ4K}},
             .without_importance = kCoarse},
    FileType{.name = "Q3_K_L",
             .id = 13,
             .base = kQ3K,
             .output = kQ6K,
             .v = {Clause{kAlways, kQ5K}},
             .o = {Clause{kAlways, kQ5K}},
             .down = {Clause{kAlways, kQ5K}},
             .without_importance = kCoarse},
    FileType{.name = "Q4_K_S",
             .id = 14,
             .base = kQ4K,
             .output = kQ6K,
             .v = {Clause{kFirstFour, kQ5K}},
             .down = {Clause{kFirstEighth, kQ5K}}},
    FileType{.name = "Q4_K_M",
             .id = 15,
             .base = kQ4K,
             .output = kQ6K,
             .v = {Clause{kMoreBits, kQ6K}},
             .down = {Clause{kMoreBits, kQ6K}}},
    FileType{.name = "Q5_K_S", .id = 16, .base = kQ5K, .output = kQ6K},
    FileType{.name = "Q5_K_M",
             .id = 17,
             .base = kQ5K,
             .output = kQ6K,
             .v = {Clause{kMoreBits, kQ6K}},
             .down = {Clause{kMoreBits, kQ6K}}},
    FileType{.name = "Q6_K", .id = 18, .base = kQ6K},
    FileType{.name = "Q2_K_S",
             .id = 21,
             .base = kQ2K,
             .output = kQ6K,
             .v = {Clause{kGroupedQueries, kQ4K}},
             .down = {Clause{kFirstEighth, kQ4K}},
             .base_needs_importance = true},
    FileType{.name = "BF16", .id = 32, .base = kBF16},
};

struct Alias {
  std::string_view name, means;
};
constexpr std::array kAliases = {Alias{"Q3_K", "Q3_K_M"}, Alias{"Q4_K", "Q4_K_M"},
                                 Alias{"Q5_K", "Q5_K_M"}};

bool same_word(std::string_view a, std::string_view b) {
  return base::to_lower(a) == base::to_lower(b);
}

[[noreturn]] void reject(std::string_view what, std::string_view name,
                         std::vector<std::string> known) {
  std::string all;
  for (const std::string& one : known) all += fmt::format("{}{}", all.empty() ? "" : ", ", one);
  for (std::string& one : known) one = base::to_lower(one);
  std::string near = base::nearest(base::to_lower(name), known);
  for (char& c : near) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  const bool readable = std::ranges::any_of(
      codec::codecs(), [&](const codec::Codec& codec) { return same_word(codec.name, name); });
  const std::string why = readable       ? "tensors of this type can be read, but not written"
                          : near.empty() ? "no type has a name like this"
                                         : fmt::format("the nearest name is {}", near);
  throw base::UsageError(fmt::format("unknown {} '{}'", what, base::escape_controls(name)), why,
                         fmt::format("use one of: {}", all));
}

}  // namespace

std::span<const FileType> file_types() { return kFileTypes; }

const FileType* known_file_type(std::string_view name) {
  const auto alias =
      std::ranges::find_if(kAliases, [&](const Alias& one) { return same_word(one.name, name); });
  const std::string_view wanted = alias == kAliases.end() ? name : alias->means;
  const auto row = std::ranges::find_if(
      kFileTypes, [&](const FileType& one) { return same_word(one.name, wanted); });
  return row == kFileTypes.end() ? nullptr : &*row;
}

const FileType& find_file_type(std::string_view name) {
  if (const FileType* known = known_file_type(name)) return *known;
  std::vector<std::string> names;
  for (const FileType& row : kFileTypes) names.emplace_back(row.name);
  reject("type", name, names);
}

codec::QuantType find_tensor_type(std::string_view name) {
  std::vector<std::string> names;
  for (const codec::Codec& codec : codec::codecs()) {
    if (codec.encode == nullptr) continue;
    if (same_word(codec.name, name)) return codec.type;
    names.emplace_back(codec.name);
  }
  reject("tensor type", name, names);
}

}  // namespace lq::mix

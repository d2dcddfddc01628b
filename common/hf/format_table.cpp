#include <algorithm>
#include <array>

#include "common/hf/format_rows.h"

namespace lq::hf {
namespace {

constexpr std::array<const Format*, 4> kFormats = {&kGptq, &kGptqV2, &kCompressedTensors, &kAwq};

}  // namespace

std::span<const Format* const> formats() { return kFormats; }

const Format* find_format(std::string_view name) {
  const auto found = std::ranges::find(kFormats, name, &Format::name);
  return found == kFormats.end() ? nullptr : *found;
}

}  // namespace lq::hf

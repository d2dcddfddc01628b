#pragma once
// How one linear is quantized, and the linears of a model with what was decided for each.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/model/roles.h"

namespace lq::hf {

struct Scheme {
  int bits = 4;
  std::size_t group_size = 128;  // columns; 0: one group for the whole row
  bool symmetric = true;         // every zero point is 2^(bits - 1)

  std::size_t columns_per_group(std::size_t columns) const {
    return group_size == 0 ? columns : std::min(group_size, columns);
  }
  std::size_t n_groups(std::size_t columns) const {
    const std::size_t size = columns_per_group(columns);
    return (columns + size - 1) / size;
  }
  bool operator==(const Scheme&) const = default;
};

/// One linear: y = x W^T with W [rows, columns] = [out, in].
struct Module {
  std::string name;  // as in the checkpoint, without ".weight": "model.layers.0.self_attn.q_proj"
  model::TensorRole role = {};
  int layer = -1;  // -1: not of a layer
  std::size_t rows = 0, columns = 0;
  std::optional<Scheme> scheme = {};  // none: stays a float matrix
  std::string why_float = {};         // then, for people: "its 100 columns are no multiple of 32"
};

/// "4 bits, groups of 128, symmetric"; "float" without a scheme.
std::string describe(const std::optional<Scheme>& scheme);

/// As configurations state it: -1 for whole rows.
std::int64_t stated_group_size(const Scheme& scheme);

/// The matrix into which runtimes join a linear with its neighbours: "...self_attn.qkv_proj" for
/// "...self_attn.q_proj"; empty for one that stays alone.
std::string fused_name(std::string_view module);
/// Throws UnsupportedError when linears that runtimes join do not have the same scheme.
void require_fused_alike(std::span<const Module> modules);

}  // namespace lq::hf

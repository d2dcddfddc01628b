#pragma once
// The places of a layer whose values linear layers read. Statistics are kept per site: all linear
// layers of one share its input.

#include <array>
#include <cstdint>
#include <string_view>

#include "common/model/roles.h"

namespace lq::forward {

enum class Site : std::uint8_t { kAttnIn, kAttnOut, kMlpIn, kMlpDown, kHeadIn };

struct SiteRow {
  Site site;
  std::string_view name;  // in files
  std::array<model::TensorRole, 3> readers;
  std::uint8_t n_readers;
};

inline constexpr std::array kSites = {
    SiteRow{Site::kAttnIn,
            "attn_in",
            {model::TensorRole::kAttnQ, model::TensorRole::kAttnK, model::TensorRole::kAttnV},
            3},
    SiteRow{Site::kAttnOut, "attn_out", {model::TensorRole::kAttnOutput}, 1},
    SiteRow{Site::kMlpIn, "mlp_in", {model::TensorRole::kFfnGate, model::TensorRole::kFfnUp}, 2},
    SiteRow{Site::kMlpDown, "mlp_down", {model::TensorRole::kFfnDown}, 1},
    SiteRow{Site::kHeadIn, "head_in", {model::TensorRole::kOutput}, 1},
};

}  // namespace lq::forward

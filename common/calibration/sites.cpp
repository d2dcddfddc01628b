#include "common/calibration/sites.h"

#include <algorithm>
#include <array>

namespace lq::calibration {
namespace {

using forward::Site;
using model::Extent;
using model::TensorRole;

constexpr std::array kAttnReaders = {TensorRole::kAttnQ, TensorRole::kAttnK, TensorRole::kAttnV,
                                     TensorRole::kAttnQkv};
constexpr std::array kAttnOutReaders = {TensorRole::kAttnOutput};
constexpr std::array kMlpReaders = {TensorRole::kFfnGate, TensorRole::kFfnUp};
constexpr std::array kMlpDownReaders = {TensorRole::kFfnDown};
constexpr std::array kHeadReaders = {TensorRole::kOutput};

constexpr std::array kSites = {
    SiteRow{Site::kAttnIn, "attn_in", Extent::kHidden, kAttnReaders},
    SiteRow{Site::kAttnOut, "attn_out", Extent::kQRows, kAttnOutReaders, true, true},
    SiteRow{Site::kMlpIn, "mlp_in", Extent::kHidden, kMlpReaders},
    SiteRow{Site::kMlpDown, "mlp_down", Extent::kFfn, kMlpDownReaders, true, true},
    SiteRow{Site::kHeadIn, "head_in", Extent::kHidden, kHeadReaders, false},
};

}  // namespace

std::span<const SiteRow> sites() { return kSites; }

const SiteRow& site_row(Site site) { return *std::ranges::find(kSites, site, &SiteRow::site); }

const SiteRow* site_of(TensorRole role) {
  for (const SiteRow& row : kSites) {
    if (std::ranges::find(row.readers, role) != row.readers.end()) return &row;
  }
  return nullptr;
}

std::vector<SiteShape> site_shapes(const model::ModelConfig& config, bool head) {
  std::vector<SiteShape> shapes;
  for (const SiteRow& row : kSites) {
    if (row.per_layer == head) continue;
    shapes.push_back({&row, static_cast<std::size_t>(model::extent_of(row.width, config))});
  }
  return shapes;
}

}  // namespace lq::calibration

#pragma once
// The sites of a model as files name them: which linear layers read what is there, and how wide it
// is. One row each.

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "common/forward/site.h"
#include "common/model/architecture.h"
#include "common/model/model_config.h"
#include "common/model/roles.h"

namespace lq::calibration {

struct SiteRow {
  forward::Site site;
  std::string_view name;  // in files: "attn_in"
  model::Extent width;    // of the values there
  std::span<const model::TensorRole> readers;
  bool per_layer = true;
  bool feeds_residual = false;  // what its readers make is added to the residual stream
};

/// A site with the number of channels that it has in a model.
struct SiteShape {
  const SiteRow* row = nullptr;
  std::size_t width = 0;

  bool operator==(const SiteShape&) const = default;
};

/// In the order in which the values arise.
std::span<const SiteRow> sites();
const SiteRow& site_row(forward::Site site);
/// The site that a linear layer reads; nullptr for tensors that are none.
const SiteRow* site_of(model::TensorRole role);

/// Those of a decoder layer, or of the output head.
std::vector<SiteShape> site_shapes(const model::ModelConfig& config, bool head);

}  // namespace lq::calibration

#include "common/calibration/imported_stats.h"

#include <fmt/format.h>
#include <string>

#include "common/base/errors.h"
#include "common/model/tensor_map.h"

namespace lq::calibration {
namespace {

[[noreturn]] void fail(std::string why) {
  throw base::ValidationError("cannot make a calibration of this importance matrix", std::move(why),
                              "use an importance matrix that was made from this model");
}

/// The entry of a linear layer that reads the site; nullptr when none has one.
const ImportanceEntry* entry_of(const ImportanceMatrix& matrix,
                                const model::Architecture& architecture, const SiteRow& site,
                                int layer) {
  for (const model::TensorRow& row : architecture.tensors) {
    if (site_of(row.role) != &site) continue;
    const auto* const found = matrix.find(model::expand_layer(row.gguf, layer) + ".weight");
    if (found != nullptr) return found;
  }
  return nullptr;
}

}  // namespace

bool knows_head(const ImportanceMatrix& matrix, const model::Checkpoint& checkpoint) {
  return entry_of(matrix, *checkpoint.architecture, site_row(forward::Site::kHeadIn), -1) !=
         nullptr;
}

LayerStats imported_stats(const ImportanceMatrix& matrix, const model::Checkpoint& checkpoint,
                          std::size_t s) {
  const bool head = s == static_cast<std::size_t>(checkpoint.config.n_layers);
  const int layer = static_cast<int>(s);
  LayerStats stats;
  for (const SiteShape& shape : site_shapes(checkpoint.config, head)) {
    const ImportanceEntry* const entry =
        entry_of(matrix, *checkpoint.architecture, *shape.row, head ? -1 : layer);
    const std::string place =
        head ? "the output head" : fmt::format("{} of layer {}", shape.row->name, layer);
    if (entry == nullptr) fail(fmt::format("it has no entry for {}", place));
    if (entry->values.size() != shape.width) {
      fail(fmt::format("its entry for {} has {} columns; the model has {}", place,
                       entry->values.size(), shape.width));
    }
    SiteStats site;
    site.count = 1;
    site.sum_sq.assign(entry->values.begin(), entry->values.end());
    stats.sites.emplace_back(shape.row, std::move(site));
  }
  return stats;
}

}  // namespace lq::calibration

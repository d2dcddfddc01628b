// Every family of the table against the sites: a linear layer that no site feeds would silently get
// no statistics.

#include <gtest/gtest.h>

#include "common/calibration/sites.h"
#include "common/model/architecture.h"

namespace lq::calibration {
namespace {

TEST(Sites, FeedEveryMatrixButTheEmbeddings) {
  for (const model::Architecture* family : model::architectures()) {
    for (const model::TensorRow& row : family->tensors) {
      SCOPED_TRACE(std::string(family->name) + " " + std::string(row.hf));
      const bool is_matrix = row.columns != model::Extent::kNone;
      const SiteRow* const site = site_of(row.role);
      ASSERT_EQ(site != nullptr, is_matrix && row.role != model::TensorRole::kTokenEmbedding);
      if (site == nullptr) continue;
      EXPECT_EQ(site->width, row.columns);
      EXPECT_EQ(site->per_layer, row.per_layer());
    }
  }
}

TEST(Sites, AreFoundByTheirKind) {
  for (const SiteRow& row : sites()) EXPECT_EQ(&site_row(row.site), &row);
  EXPECT_EQ(site_of(model::TensorRole::kAttnNorm), nullptr);
}

}  // namespace
}  // namespace lq::calibration

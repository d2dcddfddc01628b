// The steps of the affine search: every vector target gives the reference's results bit for bit,
// and each step does what its contract says.

#include "common/kernels/affine_search.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <hwy/targets.h>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "common/kernels/affine_superblock.h"
#include "common/kernels/target.h"

namespace lq::kernels {
namespace {

constexpr int kTileElems = kAffineLanes * kAffineMaxElems;
using Elements = std::vector<float>;

Elements random_elements(unsigned seed, bool heavy_tail) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  Elements x(kTileElems);
  for (float& v : x) {
    v = 0.02F * normal(engine);
    if (heavy_tail) v /= 0.1F + std::fabs(normal(engine));
  }
  return x;
}

struct NamedElements {
  std::string name;
  Elements x;
};

std::vector<NamedElements> inputs() {
  std::vector<NamedElements> all = {
      {"zeros", Elements(kTileElems, 0.0F)},
      {"negative zeros", Elements(kTileElems, -0.0F)},
      {"flat", Elements(kTileElems, 0.25F)},
      {"flat below zero", Elements(kTileElems, -0.25F)},
      {"denormals", Elements(kTileElems)},
      {"ramp", Elements(kTileElems)},
      {"one outlier", random_elements(3, false)},
      {"large", random_elements(4, false)},
      {"small range behind a large mean", random_elements(5, false)},
      {"signed zeros", Elements(kTileElems, 0.0F)},
  };
  for (std::size_t i = 0; i < kTileElems; ++i) {
    const auto k = static_cast<float>(i);
    all[4].x[i] = std::numeric_limits<float>::denorm_min() * std::fmod(k * 37, 101.0F);
    all[5].x[i] = (k - 200) * 1e-3F;
    all[7].x[i] *= 1e6F;
    all[8].x[i] = 3 + 1e-3F * all[8].x[i];
    if (i % 3 == 1) all[9].x[i] = -0.0F;
  }
  all[6].x[77] = 40;
  for (unsigned seed = 10; seed < 40; ++seed) {
    all.push_back({"random " + std::to_string(seed), random_elements(seed, seed % 2 == 0)});
  }
  return all;
}

constexpr AffineShape kShapes[] = {
    {16, 3, false}, {32, 15, false}, {32, 31, false}, {32, 15, true}, {32, 31, true}};

// Everything that the steps make of one tile, as bytes.
std::string results(const AffineKernels& kernels, const AffineShape& shape, const Elements& x,
                    bool weighted) {
  Elements weights(kTileElems);
  std::mt19937 engine(1);
  std::lognormal_distribution<float> draw;
  for (float& w : weights) w = draw(engine);
  const float* lanes[kAffineLanes];
  for (int s = 0; s < kAffineLanes; ++s) lanes[s] = weights.data() + s * shape.sub_elems;

  std::string bytes;
  const auto add = [&bytes](const auto& value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  AffineTile tile;
  std::memset(&tile, 0, sizeof tile);
  kernels.load(shape, x.data(), weighted ? lanes : nullptr, tile);
  add(tile);
  AffineFit fit;
  const AffineEffort effort = {{-1.0F, 0.2F, 10}, 2, 2};
  kernels.search(shape, tile, effort.candidates, fit);
  add(fit);
  AffineSums sums;
  kernels.measure(shape, tile, fit, sums);
  add(sums);
  AffineCodes codes;
  std::memset(&codes, 0, sizeof codes);
  kernels.codes(shape, tile, fit, codes);
  add(codes);
  if (shape.free_offset) {
    AffineLanes minimum;
    fit_single_blocks(kernels, shape, effort, tile, fit, minimum);
    add(fit);
    add(minimum);
    AffineMinMax blocks;
    std::memset(&blocks, 0, sizeof blocks);
    kernels.min_max(x.data(), shape.max_code, blocks);
    add(blocks);
  } else {
    AffineFields fields;
    fit_super_blocks(kernels, shape, effort, shape.sub_elems == 16 ? 16 : 8, 63, tile, fields);
    add(fields);
    measure_fields(kernels, shape, tile, fields, sums);
    kernels.choose(tile, 63, {-2, 2}, fields, sums);
    add(fields);
    add(sums);
  }
  return bytes;
}

class Targets : public ::testing::Test {
 protected:
  void TearDown() override { hwy::SetSupportedTargetsForTest(0); }
};

TEST_F(Targets, GiveTheBytesOfTheReference) {
  std::set<const AffineKernels*> ran;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    SCOPED_TRACE(hwy::TargetName(target));
    const AffineKernels& kernels = affine_kernels();
    EXPECT_TRUE(ran.insert(&kernels).second || use_reference());
    for (const auto& [name, x] : inputs()) {
      for (const AffineShape& shape : kShapes) {
        for (const bool weighted : {false, true}) {
          SCOPED_TRACE(name + " codes to " + std::to_string(shape.max_code));
          EXPECT_TRUE(results(kernels, shape, x, weighted) ==
                      results(affine_scalar(), shape, x, weighted));
        }
      }
    }
    hwy::SetSupportedTargetsForTest(0);
  }
  EXPECT_EQ(ran.contains(&affine_scalar()), use_reference());
#if HWY_ARCH_X86
  if (!use_reference() && (hwy::SupportedTargets() & HWY_AVX2) != 0) {
    hwy::SetSupportedTargetsForTest(HWY_AVX2);
    EXPECT_TRUE(ran.contains(&affine_kernels()));
  }
#endif
}

TEST(AffineSearch, FindsTheGridThatElementsLieOn) {
  // Four codes, every one of them met.
  Elements x(kTileElems);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 0.5F * static_cast<float>(i % 4) - 0.25F;
  const AffineShape shape = {16, 3, false};
  AffineTile tile;
  affine_scalar().load(shape, x.data(), nullptr, tile);
  EXPECT_FLOAT_EQ(tile.origin.v[0], -0.25F);
  EXPECT_FLOAT_EQ(tile.range.v[0], 1.5F);
  AffineFit fit;
  affine_scalar().search(shape, tile, {0.0F, 0.1F, 1}, fit);
  AffineSums sums;
  affine_scalar().measure(shape, tile, fit, sums);
  for (int s = 0; s < kAffineLanes; ++s) {
    EXPECT_NEAR(fit.scale.v[s], 0.5F, 1e-6F);
    EXPECT_NEAR(fit.offset.v[s], 0.0F, 1e-6F);
    EXPECT_NEAR(sums.err.v[s], 0.0F, 1e-10F);
  }
}

TEST(AffineSearch, KeepsTheOffsetOfPositiveElementsAtZero) {
  Elements x(kTileElems);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 3.0F + 0.01F * static_cast<float>(i % 16);
  const AffineShape bounded = {32, 15, false}, open = {32, 15, true};
  for (const AffineShape& shape : {bounded, open}) {
    AffineTile tile;
    affine_scalar().load(shape, x.data(), nullptr, tile);
    AffineFit fit;
    affine_scalar().search(shape, tile, {-1.0F, 0.2F, 10}, fit);
    // In elements the offset is offset - origin: never below zero, or free to be about -3.
    const float offset = fit.offset.v[0] - tile.origin.v[0];
    if (shape.free_offset) {
      EXPECT_NEAR(offset, -3.0F, 0.01F);
    } else {
      EXPECT_GE(offset, 0.0F);
    }
  }
}

TEST(AffineSuperblock, MoreEffortNeverRaisesTheError) {
  const AffineShape shape = {32, 15, false};
  for (unsigned seed = 0; seed < 50; ++seed) {
    const Elements x = random_elements(seed, seed % 2 == 0);
    AffineTile tile;
    affine_scalar().load(shape, x.data(), nullptr, tile);
    float last = std::numeric_limits<float>::max();
    for (const auto& [rounds, probes] : {std::pair{0, 0}, {1, 0}, {1, 2}}) {
      AffineFields fields;
      fit_super_blocks(affine_scalar(), shape, {{-1.0F, 0.2F, 10}, rounds, probes}, 8, 63, tile,
                       fields);
      AffineSums sums;
      measure_fields(affine_scalar(), shape, tile, fields, sums);
      float error = 0;
      for (int s = 0; s < 8; ++s) error += sums.err.v[s];
      if (probes == 0) {
        EXPECT_LE(error, last) << "seed " << seed;
        last = error;
      } else {
        // Probes change the way that the last round takes, and pay on the whole.
        EXPECT_LE(error, last * 1.02F) << "seed " << seed;
      }
    }
  }
}

TEST(AffineSuperblock, FieldsStayInTheirRangeWhereFloat16RunsOut) {
  const AffineShape shape = {32, 15, false};
  for (const float magnitude : {1e-8F, 1e-6F, 1e-5F, 1e-4F, 1e5F, 5e7F}) {
    Elements x = random_elements(9, false);
    for (float& v : x) v = std::fabs(v) * magnitude;
    AffineTile tile;
    affine_scalar().load(shape, x.data(), nullptr, tile);
    AffineFields fields;
    fit_super_blocks(affine_scalar(), shape, {{-1.0F, 0.2F, 10}, 2, 2}, 8, 63, tile, fields);
    for (int s = 0; s < kAffineLanes; ++s) {
      EXPECT_GE(fields.sub_scale.v[s], 0.0F);
      EXPECT_LE(fields.sub_scale.v[s], 63.0F);
      EXPECT_LE(fields.d.v[s], 65504.0F);
      EXPECT_GE(fields.dmin.v[s], 0.0F);
    }
  }
}

}  // namespace
}  // namespace lq::kernels

#include "common/calibration/layer_file.h"

#include <array>
#include <cmath>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <random>

#include "common/calibration/lane_file.h"
#include "common/io/zstd.h"
#include "common/safetensors/layout.h"
#include "tests/support/scratch.h"

namespace lq::calibration {
namespace {

using lq::testing::error_of;
using lq::testing::read_file;
using lq::testing::ScratchDirectory;

const std::vector<SiteShape> kShapes = {
    {&site_row(forward::Site::kAttnIn), 150},
    {&site_row(forward::Site::kMlpDown), 260},
};
constexpr std::size_t kHidden = 150;
const std::string kId = "abc";

LayerStats some_stats(GramKind kind, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  LayerStats stats = empty_layer_stats(kShapes, kind);
  linalg::GramProducts products(1);
  for (auto& [row, site] : stats.sites) {
    linalg::Matrix x(400, site.width(), linalg::Compute::kF32);
    std::vector<float> values(site.width());
    for (std::size_t t = 0; t < x.rows(); ++t) {
      const float shared = normal(random);
      for (float& value : values) value = normal(random) + shared;
      values[7] = 0;
      values[9] *= 100;
      x.set_row(t, values);
    }
    site.add_rows(x, products, 1);
  }
  stats.sample.resize(3 * kHidden);
  for (std::size_t i = 0; i < stats.sample.size(); ++i) {
    stats.sample[i] = static_cast<std::uint16_t>(i);
  }
  return stats;
}

class LayerFile : public ::testing::Test {
 protected:
  std::filesystem::path write(std::span<const std::byte> bytes, const char* name = "layer.zst") {
    std::string text(bytes.size(), '\0');
    if (!bytes.empty()) std::memcpy(text.data(), bytes.data(), bytes.size());
    return scratch_.write(name, text);
  }
  LayerStats round_trip(const LayerStats& stats, Want want = Want::kAll) {
    return read_layer(write(encode_layer(stats, kHidden, kId, 2)), kShapes, kId, want, 2);
  }
  /// A compressed safetensors file of these tensors, zeros inside.
  std::filesystem::path write_tensors(const std::vector<safetensors::TensorSpec>& tensors) {
    std::vector<std::string> data;
    for (const auto& tensor : tensors) data.emplace_back(tensor.n_bytes(), '\1');
    const std::string file = safetensors::serialize(tensors, data, {{"calibration", kId}});
    return write(io::zstd_frame(std::as_bytes(std::span(file)), 1));
  }
  std::string why(const std::filesystem::path& path) {
    return error_of<base::ValidationError>([&] { read_layer(path, kShapes, kId, Want::kAll, 1); })
        .why();
  }

  ScratchDirectory scratch_;
};

TEST_F(LayerFile, KeepsSumsExactlyAndCorrelationsToHalfAStep) {
  for (const GramKind kind : {GramKind::kBlock, GramKind::kFull}) {
    const LayerStats stats = some_stats(kind), read = round_trip(stats);
    ASSERT_EQ(read.sites.size(), 2U);
    EXPECT_EQ(read.sample, stats.sample);
    for (std::size_t s = 0; s < 2; ++s) {
      const SiteStats &was = stats.sites[s].second, &is = read.sites[s].second;
      EXPECT_EQ(read.sites[s].first, stats.sites[s].first);
      EXPECT_EQ(is.count, 400);
      EXPECT_EQ(is.sum, was.sum);
      EXPECT_EQ(is.sum_abs, was.sum_abs);
      EXPECT_EQ(is.sum_sq, was.sum_sq);
      EXPECT_EQ(is.max_abs, was.max_abs);
      EXPECT_EQ(is.kind, kind);
      for (const GramSquare& square : gram_squares(kind, was.width())) {
        for (std::size_t i = 0; i < square.n; ++i) {
          for (std::size_t j = i; j < square.n; ++j) {
            const double length =
                std::sqrt(was.sum_sq[square.first + i] * was.sum_sq[square.first + j]);
            const std::size_t upper = square.place + i * square.n + j;
            ASSERT_NEAR(is.gram[upper], was.gram[upper], length * 0.51 / 32767 + 1e-5 * length);
            ASSERT_EQ(is.gram[square.place + j * square.n + i], is.gram[upper]);
          }
        }
      }
    }
  }
}

/// The worked example of calibration_directory.md.
TEST_F(LayerFile, IsAsTheFormatPageSays) {
  const std::vector<SiteShape> shapes = {{&site_row(forward::Site::kAttnIn), 3}};
  LayerStats stats = empty_layer_stats(shapes, GramKind::kFull);
  linalg::Matrix x(2, 3, linalg::Compute::kF32);
  x.set_row(0, std::vector<float>{1, 2, 0});
  x.set_row(1, std::vector<float>{3, -1, 0});
  linalg::GramProducts products(1);
  stats.sites[0].second.add_rows(x, products, 1);
  const auto path = write(encode_layer(stats, kHidden, kId, 1));
  const io::InputFile file(path);
  io::ZstdReader plain(file);
  std::uint64_t header_bytes = 0;
  plain.read(std::as_writable_bytes(std::span(&header_bytes, 1)));
  std::string header(header_bytes, '\0');
  plain.read(std::as_writable_bytes(std::span(header)));
  const auto gram = header.find("\"attn_in.gram\":{\"dtype\":\"I16\",\"shape\":[3]");
  EXPECT_NE(gram, std::string::npos) << header;
  // I64 count, F64 sum, sum_abs, sum_sq; F32 max_abs; I16 gram.
  plain.skip(8 + 3 * 3 * 8 + 3 * 4);
  std::array<std::int16_t, 3> codes = {};
  plain.read(std::as_writable_bytes(std::span(codes)));
  EXPECT_EQ(codes, (std::array<std::int16_t, 3>{-4634, 0, 0}));
  const LayerStats read = read_layer(path, shapes, kId, Want::kAll, 1);
  const SiteStats& site = read.sites[0].second;
  EXPECT_EQ(site.sum, (std::vector<double>{4, 1, 0}));
  EXPECT_EQ(site.sum_abs, (std::vector<double>{4, 3, 0}));
  EXPECT_EQ(site.sum_sq, (std::vector<double>{10, 5, 0}));
  EXPECT_EQ(site.max_abs, (std::vector<float>{3, 2, 0}));
  EXPECT_NEAR(site.gram[1], -1.00001, 1e-5);
  EXPECT_EQ(site.gram[3], site.gram[1]);
}

TEST_F(LayerFile, IsTheSameForAnyNumberOfThreads) {
  const LayerStats stats = some_stats(GramKind::kFull);
  EXPECT_EQ(encode_layer(stats, kHidden, kId, 1), encode_layer(stats, kHidden, kId, 3));
}

TEST_F(LayerFile, GivesItsBeginningToWhoWantsSumsAlone) {
  const LayerStats stats = some_stats(GramKind::kFull);
  const std::vector<std::byte> bytes = encode_layer(stats, kHidden, kId, 1);
  const LayerStats read = read_layer(write(bytes), kShapes, kId, Want::kSums, 1);
  EXPECT_EQ(read.sites[1].second.sum_sq, stats.sites[1].second.sum_sq);
  EXPECT_TRUE(read.sites[1].second.gram.empty());
  EXPECT_TRUE(read.sample.empty());
}

TEST_F(LayerFile, HasNoMoreBytesThanPlanned) {
  for (const GramKind kind : {GramKind::kNone, GramKind::kBlock, GramKind::kFull}) {
    EXPECT_LE(encode_layer(some_stats(kind), kHidden, kId, 1).size(),
              layer_file_bytes(kShapes, kind, 3 * kHidden));
  }
}

TEST_F(LayerFile, LeavesEmptyWhatWasNotKept) {
  LayerStats stats = empty_layer_stats(kShapes, GramKind::kNone);
  for (auto& [row, site] : stats.sites) {
    site.count = 1;
    site.sum.clear();
    site.sum_abs.clear();
    site.max_abs.clear();
  }
  const LayerStats read = round_trip(stats);
  EXPECT_TRUE(read.sites[0].second.sum_abs.empty());
  EXPECT_EQ(read.sites[0].second.sum_sq.size(), 150U);
}

TEST_F(LayerFile, ThatIsDamagedAnywhereIsRefused) {
  const std::vector<std::byte> whole = encode_layer(some_stats(GramKind::kBlock), kHidden, kId, 1);
  for (std::size_t at = 0; at < whole.size(); at += 997) {
    std::vector<std::byte> damaged = whole;
    damaged[at] ^= std::byte{0x10};
    EXPECT_THROW(read_layer(write(damaged), kShapes, kId, Want::kAll, 1), base::ValidationError)
        << at;
    EXPECT_THROW(read_layer(write(std::span(whole).first(at)), kShapes, kId, Want::kAll, 1),
                 base::ValidationError)
        << at;
  }
}

TEST_F(LayerFile, WhoseSumsAreDamagedIsRefusedByThoseWhoReadNothingElse) {
  const LayerStats stats = some_stats(GramKind::kFull);
  const std::vector<std::byte> whole = encode_layer(stats, kHidden, kId, 1);
  std::size_t refused = 0;
  for (std::size_t at = 0; at < whole.size(); at += 97) {
    std::vector<std::byte> damaged = whole;
    damaged[at] ^= std::byte{0x10};
    try {
      const LayerStats read = read_layer(write(damaged), kShapes, kId, Want::kSums, 1);
      EXPECT_EQ(read.sites[0].second.sum_sq, stats.sites[0].second.sum_sq) << at;
      EXPECT_EQ(read.sites[1].second.max_abs, stats.sites[1].second.max_abs) << at;
    } catch (const base::ValidationError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 50U);
}

TEST_F(LayerFile, MayHaveItsTensorsInAnyOrder) {
  // Names that sort the Gram matrix before the sums; one frame for all.
  const std::vector<SiteShape> shapes = {{&site_row(forward::Site::kAttnIn), 2}};
  const double one = 1, four = 4;
  std::string squares(16, '\0');
  std::memcpy(squares.data(), &one, 8);
  std::memcpy(squares.data() + 8, &four, 8);
  const std::int64_t count = 3;
  const std::int16_t half = 16384;
  const auto bytes = [](const auto& value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
  };
  const std::string header =
      R"({"__metadata__":{"calibration":"abc"},)"
      R"("attn_in.gram":{"dtype":"I16","shape":[1],"data_offsets":[0,2]},)"
      R"("attn_in.sum_sq":{"dtype":"F64","shape":[2],"data_offsets":[2,18]},)"
      R"("attn_in.count":{"dtype":"I64","shape":[1],"data_offsets":[18,26]}})";
  const std::uint64_t size = header.size();
  const std::string file = bytes(size) + header + bytes(half) + squares + bytes(count);
  const LayerStats read = read_layer(write(io::zstd_frame(std::as_bytes(std::span(file)), 1)),
                                     shapes, kId, Want::kGrams, 1);
  EXPECT_NEAR(read.sites[0].second.gram[1], 1, 1e-4);
}

TEST_F(LayerFile, OfManyFramesIsReadAcrossThem) {
  const std::vector<SiteShape> shapes = {{&site_row(forward::Site::kMlpDown), 3000}};
  LayerStats stats = empty_layer_stats(shapes, GramKind::kFull);
  linalg::Matrix x(8, 3000, linalg::Compute::kF32);
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(3000);
  for (std::size_t t = 0; t < 8; ++t) {
    for (float& value : values) value = normal(random);
    x.set_row(t, values);
  }
  linalg::GramProducts products(2);
  stats.sites[0].second.add_rows(x, products, 2);
  stats.sample.resize(5 * kHidden, 7);
  const std::vector<std::byte> one = encode_layer(stats, kHidden, kId, 1);
  EXPECT_EQ(encode_layer(stats, kHidden, kId, 3), one);
  const LayerStats read = read_layer(write(one), shapes, kId, Want::kAll, 2);
  EXPECT_EQ(read.sample, stats.sample);
  const SiteStats &was = stats.sites[0].second, &is = read.sites[0].second;
  for (std::size_t i = 0; i < 3000; i += 37) {
    for (std::size_t j = i; j < 3000; j += 41) {
      const double size = std::sqrt(was.sum_sq[i] * was.sum_sq[j]);
      ASSERT_NEAR(is.gram[i * 3000 + j], was.gram[i * 3000 + j], 3e-5 * size);
    }
  }
}

TEST_F(LayerFile, OfAnotherCalibrationIsRefused) {
  const auto path = write(encode_layer(some_stats(GramKind::kNone), kHidden, "other", 1));
  EXPECT_EQ(why(path),
            "it belongs to another calibration; was the directory made again meanwhile?");
}

TEST_F(LayerFile, WithASampleThatIsTooLargeIsRefused) {
  const std::string header =
      R"({"__metadata__":{"calibration":"abc"},)"
      R"("sample":{"dtype":"BF16","shape":[70000,1],"data_offsets":[0,140000]}})";
  const std::uint64_t size = header.size();
  const std::string file = std::string(reinterpret_cast<const char*>(&size), sizeof(size)) + header;
  EXPECT_EQ(why(write(io::zstd_frame(std::as_bytes(std::span(file)), 1))),
            "its sample is no matrix of at most 65536 rows");
}

TEST_F(LayerFile, OfOtherSitesIsRefused) {
  using tensor::DType;
  EXPECT_EQ(why(write_tensors({{"attn_in.sum_sq", DType::kF64, {10}}})),
            "attn_in.sum_sq is not F64 of 150 elements");
  EXPECT_EQ(why(write_tensors({{"attn_in.gram", DType::kI16, {10}}})),
            "the Gram matrix of attn_in has 10 elements, which fits no kind of 150 channels");
  EXPECT_EQ(why(write_tensors({{"attn_in.sum_sq", DType::kF64, {150}}})),
            "it has no sums of squares, or no count, of attn_in");
  const auto error = error_of<base::ModelNotFoundError>(
      [&] { read_layer(scratch_.path() / "none", kShapes, kId, Want::kAll, 1); });
  EXPECT_NE(std::string(error.what()).find("none"), std::string::npos);
}

TEST_F(LayerFile, WithSumsThatCannotBeIsRefused) {
  LayerStats stats = some_stats(GramKind::kNone);
  stats.sites[1].second.sum_sq[3] = -1;
  EXPECT_EQ(why(write(encode_layer(stats, kHidden, kId, 1))),
            "a sum of mlp_down is not finite, or negative where it cannot be");
  stats.sites[1].second.sum_sq[3] = std::nan("");
  EXPECT_EQ(why(write(encode_layer(stats, kHidden, kId, 1))),
            "a sum of mlp_down is not finite, or negative where it cannot be");
  stats = some_stats(GramKind::kNone);
  stats.sites[0].second.max_abs[0] = -1;
  EXPECT_EQ(why(write(encode_layer(stats, kHidden, kId, 1))),
            "a sum of attn_in is not finite, or negative where it cannot be");
}

TEST_F(LayerFile, WhoseHeaderClaimsTooMuchIsRefused) {
  const std::string text("\xff\xff\xff\xff\0\0\0\0 and more", 17);
  EXPECT_EQ(why(write(io::zstd_frame(std::as_bytes(std::span(text)), 1))),
            "its header would have 4294967295 bytes");
}

TEST_F(LayerFile, OfALaneAddsItsSumsExactly) {
  for (const GramKind kind : {GramKind::kNone, GramKind::kBlock, GramKind::kFull}) {
    const LayerStats first = some_stats(kind, 1), second = some_stats(kind, 2);
    LayerStats wanted = first;
    wanted.add(second, 1);
    const std::vector<std::byte> bytes = encode_lane(second, "tag");
    LayerStats total = first;
    ASSERT_TRUE(add_lane_file(write(bytes), "tag", total, second.sample.size(), 2));
    EXPECT_EQ(total.sample, first.sample);
    for (std::size_t s = 0; s < 2; ++s) {
      const SiteStats &is = total.sites[s].second, &should = wanted.sites[s].second;
      EXPECT_EQ(is.count, should.count);
      EXPECT_EQ(is.sum_sq, should.sum_sq);
      EXPECT_EQ(is.max_abs, should.max_abs);
      for (const GramSquare& square : gram_squares(kind, is.width())) {
        for (std::size_t i = 0; i < square.n; ++i) {
          for (std::size_t j = i; j < square.n; ++j) {
            const std::size_t at = square.place + i * square.n + j;
            ASSERT_EQ(is.gram[at], should.gram[at]);
          }
        }
      }
    }
    EXPECT_EQ(bytes.size(), lane_file_bytes(kShapes, kind, second.sample.size()));
    EXPECT_FALSE(add_lane_file(write(bytes), "another", total, second.sample.size(), 1));
    EXPECT_FALSE(add_lane_file(write(bytes), "tag", total, 0, 1));
    EXPECT_FALSE(add_lane_file(scratch_.path() / "none", "tag", total, 0, 1));
  }
}

}  // namespace
}  // namespace lq::calibration

#include "common/calibration/calibration_directory.h"

#include <fstream>
#include <gtest/gtest.h>

#include "common/calibration/importance_sums.h"
#include "common/calibration/imported_stats.h"
#include "tests/support/scratch.h"

namespace lq::calibration {
namespace {

using lq::testing::error_of;
using lq::testing::ScratchDirectory;
using nlohmann::json;

const std::filesystem::path kModel = std::filesystem::path(LQ_TEST_DATA) / "tiny-llama";

/// A directory for the bundled model, of statistics that tell layer, site and channel.
class Directory : public ::testing::Test {
 protected:
  Directory() : checkpoint_(model::open_checkpoint(kModel)) {
    description_ = {.id = std::string(64, 'd'),
                    .model_id = std::string(64, 'a'),
                    .model_name = "tiny",
                    .architecture = "llama",
                    .n_layers = static_cast<int>(checkpoint_.config.n_layers),
                    .layer_sites = site_shapes(checkpoint_.config, false),
                    .head_sites = site_shapes(checkpoint_.config, true),
                    .data_name = "texts",
                    .data_hash = std::string(64, 'b'),
                    .n_windows = 7,
                    .n_tokens = 70,
                    .seq_len = 10,
                    .stats = "diag",
                    .compute = "f32",
                    .numeric_class = "",
                    .lanes = 4,
                    .sample_tokens = 0};
    write_description(json(to_json(description_)));
    for (int layer = -1; layer < description_.n_layers; ++layer) write_layer(layer);
  }

  void write_description(const json& description) const {
    scratch_.write("calibration.json", description.dump());
  }
  /// The sum of squares of channel i is 100 layer + 10 site + i, of 10 tokens.
  void write_layer(int layer) const {
    LayerStats stats = empty_layer_stats(
        layer < 0 ? description_.head_sites : description_.layer_sites, GramKind::kNone);
    for (auto& [row, site] : stats.sites) {
      site.count = 10;
      for (std::size_t i = 0; i < site.width(); ++i) {
        site.sum_sq[i] =
            100.0 * (layer + 1) + 10.0 * static_cast<double>(row->site) + static_cast<double>(i);
      }
    }
    const std::vector<std::byte> bytes = encode_layer(stats, 1, description_.id, 1);
    scratch_.write(layer_file_name(layer),
                   {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  /// Why calibration.json is refused after a change.
  std::string why(const std::function<void(json&)>& change) const {
    json changed = to_json(description_);
    change(changed);
    write_description(changed);
    return error_of<base::ValidationError>([&] { CalibrationDirectory{scratch_.path()}; }).why();
  }

  const ScratchDirectory scratch_;
  const model::Checkpoint checkpoint_;
  Description description_;
};

TEST_F(Directory, SaysWhatItWasToldWhenItWasMade) {
  const CalibrationDirectory opened(scratch_.path());
  EXPECT_EQ(to_json(opened.description()), to_json(description_));
  EXPECT_EQ(opened.files().size(), 8U);
  EXPECT_EQ(opened.read(5, Want::kSums, 1).at(forward::Site::kMlpDown).sum_sq[2], 632);
  EXPECT_EQ(opened.read(-1, Want::kAll, 1).at(forward::Site::kHeadIn).sum_sq[2], 42);
}

TEST_F(Directory, IsRefusedWhenItIsNone) {
  const ScratchDirectory empty;
  const auto none =
      error_of<base::ModelNotFoundError>([&] { CalibrationDirectory{empty.path() / "none"}; });
  EXPECT_EQ(none.why(), "there is nothing at this path");
  EXPECT_EQ(none.fix(), "make one: lq-calibrate MODEL -o DIR");
  const auto other =
      error_of<base::ModelNotFoundError>([&] { CalibrationDirectory{empty.path()}; });
  EXPECT_EQ(other.why(), "it holds no calibration.json");
}

TEST_F(Directory, IsRefusedWhenItsDescriptionCannotBe) {
  EXPECT_EQ(why([](json& d) { d["schema"] = "lq-calibration/2"; }),
            "its format is lq-calibration/2; this version reads lq-calibration/1");
  EXPECT_EQ(why([](json& d) { d.erase("stats"); }), "calibration.json has no stats");
  EXPECT_EQ(why([](json& d) { d["model"]["content_id"] = "\x1b[31m"; }),
            "content_id in calibration.json is not a SHA-256 in hex");
  EXPECT_EQ(why([](json& d) { d["stats"] = 4; }), "stats in calibration.json is not a text");
  EXPECT_EQ(why([](json& d) { d["lanes"] = "x"; }),
            "lanes in calibration.json is not a whole number");
  EXPECT_EQ(why([](json& d) { d["model"]["layers"] = 0; }),
            "layers in calibration.json is not from 1 to 65536");
  EXPECT_EQ(why([](json& d) { d["model"] = 1; }), "model in calibration.json is not an object");
  EXPECT_EQ(why([](json& d) { d["sites"] = 1; }), "sites in calibration.json is not a list");
  EXPECT_EQ(why([](json& d) { d["sites"][0] = 1; }), "a site in calibration.json is not an object");
  EXPECT_EQ(why([](json& d) { d["sites"][0]["name"] = "moe_in"; }),
            "calibration.json names a site moe_in, which this version does not know");
  EXPECT_EQ(why([](json& d) { d["sites"][1] = d["sites"][0]; }),
            "calibration.json names the site attn_in twice");
  EXPECT_EQ(why([](json& d) { d["sites"] = json::array(); }),
            "calibration.json names no site of a layer");
  EXPECT_EQ(why([](json& d) { d = json::array(); }), "calibration.json is not an object");
}

TEST_F(Directory, OfAnotherModelIsRefused) {
  const CalibrationDirectory opened(scratch_.path());
  opened.require_model(std::string(64, 'a'), checkpoint_.config);
  const auto error = error_of<base::ValidationError>(
      [&] { opened.require_model(std::string(64, 'c'), checkpoint_.config); });
  EXPECT_EQ(error.why(), "it was made from another model (tiny, content aaaaaaaaaaaa)");
  EXPECT_EQ(error.fix(), "calibrate this one (content cccccccccccc): lq-calibrate MODEL -o DIR");
}

TEST_F(Directory, OfOtherSitesThanTheModelIsRefused) {
  const auto refused = [&](const std::function<void(json&)>& change) {
    json changed = to_json(description_);
    change(changed);
    write_description(changed);
    const CalibrationDirectory opened(scratch_.path());
    return error_of<base::ValidationError>(
               [&] { opened.require_model(description_.model_id, checkpoint_.config); })
        .why();
  };
  const std::string why = "calibration.json has other layers or sites than the model";
  EXPECT_EQ(refused([](json& d) { d["sites"][0]["width"] = 255; }), why);
  EXPECT_EQ(refused([](json& d) { d["sites"].erase(1); }), why);
  EXPECT_EQ(refused([](json& d) { d["model"]["layers"] = 5; }), why);
  EXPECT_EQ(refused([](json& d) { d["sites"][4]["width"] = 255; }), why);
}

TEST_F(Directory, AsAnInputIsToldApartByContent) {
  const CalibrationDirectory opened(scratch_.path());
  const stage::Input before = opened.describe_input();
  EXPECT_EQ(before.role, "calibration");
  EXPECT_EQ(before.files.size(), 8U);
  EXPECT_EQ(opened.describe_input().content_id, before.content_id);
  description_.n_layers = 1;  // writes another layer 0
  LayerStats other = empty_layer_stats(description_.layer_sites, GramKind::kNone);
  for (auto& [row, site] : other.sites) site.count = 3;
  const std::vector<std::byte> bytes = encode_layer(other, 1, description_.id, 1);
  scratch_.write(layer_file_name(0), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  EXPECT_NE(opened.describe_input().content_id, before.content_id);
}

class Importance : public Directory {
 protected:
  ImportanceSums sums(bool tied = false) const {
    return importance_sums(CalibrationDirectory(scratch_.path()), *checkpoint_.architecture, tied);
  }
};

TEST_F(Importance, HasAnEntryPerLinearLayer) {
  const ImportanceSums made = sums();
  EXPECT_EQ(made.entries.size(), 6U * 7 + 1);
  EXPECT_EQ(made.entries.at("blk.2.attn_k.weight").sum_sq[5], 305);
  EXPECT_EQ(made.entries.at("blk.2.ffn_up.weight").sum_sq[5], 325);
  EXPECT_EQ(made.entries.at("output.weight").sum_sq[5], 45);
  EXPECT_EQ(made.entries.at("blk.0.ffn_down.weight").count, 10);
  EXPECT_EQ(made.n_chunks, 7U);
  EXPECT_EQ(made.chunk_size, 10U);
  EXPECT_FALSE(sums(true).entries.contains("output.weight"));
}

TEST_F(Importance, MeansTheSameAsItsFileToTheLastBit) {
  const ImportanceSums made = sums();
  const ImportanceMatrix means = importance_of(made);
  const ImportanceMatrix read =
      read_importance(scratch_.write("im.gguf", importance_file(made, "im.gguf")));
  ASSERT_EQ(read.entries.size(), means.entries.size());
  for (const auto& [name, entry] : means.entries) {
    EXPECT_EQ(read.find(name)->values, entry.values) << name;
  }
  EXPECT_EQ(read.datasets, means.datasets);
  EXPECT_EQ(read.n_chunks, 7U);
}

TEST_F(Importance, OfTheOlderFormIsTheSameToARounding) {
  const ImportanceSums made = sums();
  const ImportanceMatrix means = importance_of(made);
  const ImportanceMatrix read =
      read_importance(scratch_.write("im.dat", importance_file(made, "im.dat")));
  ASSERT_EQ(read.entries.size(), means.entries.size());
  for (const auto& [name, entry] : means.entries) {
    const ImportanceEntry* const found = read.find(name);
    for (std::size_t i = 0; i < entry.values.size(); ++i) {
      ASSERT_FLOAT_EQ(found->values[i], entry.values[i]) << name;
    }
  }
  EXPECT_EQ(read.n_chunks, 7U);
}

TEST_F(Importance, ComesBackFromStatisticsThatWereImported) {
  const ImportanceMatrix means = importance_of(sums());
  for (std::size_t s = 0; s <= 6; ++s) {
    const LayerStats stats = imported_stats(means, checkpoint_, s);
    for (const auto& [row, site] : stats.sites) {
      EXPECT_EQ(site.count, 1);
      EXPECT_TRUE(site.sum.empty());
      const int layer = s == 6 ? -1 : static_cast<int>(s);
      EXPECT_FLOAT_EQ(
          static_cast<float>(site.sum_sq[3]),
          (100.0F * static_cast<float>(layer + 1) + 10.0F * static_cast<float>(row->site) + 3) /
              10);
    }
  }
}

TEST_F(Importance, ThatDoesNotFitTheModelIsNotImported) {
  ImportanceMatrix means = importance_of(sums());
  means.entries.at("blk.3.ffn_down.weight").values.pop_back();
  EXPECT_EQ(error_of<base::ValidationError>([&] { imported_stats(means, checkpoint_, 3); }).why(),
            "its entry for mlp_down of layer 3 has 767 columns; the model has 768");
  means.entries.erase("blk.3.ffn_down.weight");
  EXPECT_EQ(error_of<base::ValidationError>([&] { imported_stats(means, checkpoint_, 3); }).why(),
            "it has no entry for mlp_down of layer 3");
  EXPECT_TRUE(knows_head(means, checkpoint_));
  means.entries.at("output.weight").values.pop_back();
  EXPECT_EQ(error_of<base::ValidationError>([&] { imported_stats(means, checkpoint_, 6); }).why(),
            "its entry for the output head has 255 columns; the model has 256");
  means.entries.erase("output.weight");
  EXPECT_FALSE(knows_head(means, checkpoint_));
}

}  // namespace
}  // namespace lq::calibration

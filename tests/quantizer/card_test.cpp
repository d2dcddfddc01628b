#include "common/quantizer/card.h"

#include <functional>
#include <gtest/gtest.h>

#include "tests/model/checkpoint_files.h"

namespace lq::quantizer {
namespace {

using model::TensorRole;
using testing::ScratchDirectory;

constexpr hf::Scheme kScheme{4, 32, true};

/// A job on a small model, of which one linear is quantized.
class Card : public ::testing::Test {
 protected:
  Card() {
    job_.checkpoint = testing::small_checkpoint(source_);
    job_.directory.checkpoint = &job_.checkpoint;
    job_.directory.format = hf::find_format("gptq");
    job_.directory.facts.scheme = kScheme;
    job_.directory.facts.modules = {
        {"model.layers.0.mlp.down_proj", TensorRole::kFfnDown, 0, 32, 64, kScheme}};
    job_.directory.groups = {{0}};
    job_.units.emplace(job_.directory);
  }

  /// 7 windows of 10 tokens.
  void calibrate() {
    const calibration::Description description = {
        .id = std::string(64, 'd'),
        .model_id = std::string(64, 'a'),
        .model_name = "small",
        .architecture = "llama",
        .n_layers = 2,
        .layer_sites = calibration::site_shapes(job_.checkpoint.config, false),
        .head_sites = calibration::site_shapes(job_.checkpoint.config, true),
        .data_name = "texts",
        .data_hash = std::string(64, 'b'),
        .n_windows = 7,
        .n_tokens = 70,
        .seq_len = 10,
        .stats = "full",
        .compute = "f32",
        .numeric_class = "",
        .lanes = 4,
        .sample_tokens = 0};
    calibration_.write("calibration.json", calibration::to_json(description).dump());
    job_.calibration.emplace(calibration_.path());
  }

  /// What stands between the title and the settings.
  std::string method() const {
    const std::string text = card_text(job_, {}), title = " 4 bits\n\n";
    const std::size_t begin = text.find(title), end = text.find("\n\n## Settings");
    EXPECT_NE(begin, std::string::npos) << text;
    EXPECT_NE(end, std::string::npos) << text;
    if (begin == std::string::npos || end == std::string::npos) return "";
    return text.substr(begin + title.size(), end - begin - title.size());
  }
  /// The row of a setting, without its name; empty when there is none.
  std::string setting(const std::string& name) const {
    const std::string text = card_text(job_, {}), begin = "\n| " + name + " | ";
    const std::size_t at = text.find(begin);
    if (at == std::string::npos) return "";
    const std::size_t first = at + begin.size();
    return text.substr(first, text.find(" |\n", first) - first);
  }

  const ScratchDirectory source_, calibration_;
  Job job_;
};

TEST_F(Card, SaysHowCodesWereChosen) {
  struct Case {
    std::function<void(Request&)> change;
    std::string method;
  };
  const std::string kGptq =
      "GPTQ: error feedback over the columns, the most important first, on grids whose ranges ";
  const std::string kSearched = "were searched under the error weighted by the activations";
  const std::vector<Case> cases = {
      {[](Request& r) { r.data_free = true; },
       "Weights were rounded to nearest, without calibration data."},
      {[](Request& r) { r.nearest = true; },
       "Weights were rounded to nearest, on ranges clipped for the least error of the layers' "
       "outputs."},
      {[](Request& r) {
         r.nearest = true;
         r.search_ranges = false;
         r.preparation = "Channels were scaled. ";
       },
       "Channels were scaled. Weights were rounded to nearest, on ranges from the least to the "
       "greatest value."},
      {[](Request&) {}, kGptq + kSearched + "."},
      {[](Request& r) { r.search_ranges = false; },
       kGptq + "go from the least to the greatest value."},
      {[](Request& r) {
         r.preparation = "Channels were scaled. ";
         r.sweeps = 6;
       },
       "Channels were scaled. " + kGptq + kSearched +
           "; then 6 sweeps of least-squares scales and coordinate descent on the codes under the "
           "exact output error."},
      {[](Request& r) { r.sequential = true; },
       kGptq + kSearched +
           ". Layers were quantized one after the other: each from what the quantized layers "
           "before it make of the calibration texts, towards the output of the original layer."}};
  for (const Case& c : cases) {
    job_.request = {};
    c.change(job_.request);
    EXPECT_EQ(method(), c.method);
  }
}

TEST_F(Card, SaysWhatTheStatisticsAreOfAndWhatWasAddedToThem) {
  EXPECT_EQ(setting("Calibration"), "");
  EXPECT_EQ(setting("Damping"), "");
  calibrate();
  job_.request.damping = {0.01, false};
  EXPECT_EQ(setting("Calibration"), "7 windows, 70 tokens, texts");
  EXPECT_EQ(setting("Damping"), "0.01 of the mean of the diagonal");
  job_.request.damping = {0.1, true};
  EXPECT_EQ(setting("Damping"), "0.1 of each channel's diagonal element");
}

TEST_F(Card, WeighsErrorsOfARoleByTheEnergyOfItsLayersAndLeavesOutWhatWasRounded) {
  const auto solved = [](const char* module, double error, double of_rounding, double energy) {
    ModuleReport report;
    report.module = module;
    report.method = "solved";
    report.error = error;
    report.error_of_rounding = of_rounding;
    report.energy = energy;
    return report;
  };
  std::vector<ModuleReport> reports = {solved("model.layers.0.mlp.down_proj", 0.1, 0.2, 3),
                                       solved("model.layers.1.mlp.down_proj", 0.5, 0.6, 1),
                                       solved("model.layers.1.mlp.up_proj", 0.5, 0.6, 1)};
  reports.back().method = "rounded";
  const std::string text = card_text(job_, reports);
  EXPECT_NE(text.find("\n| down\\_proj | 2 | 0.2 | 0.3 |\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("up\\_proj"), std::string::npos) << text;
}

}  // namespace
}  // namespace lq::quantizer

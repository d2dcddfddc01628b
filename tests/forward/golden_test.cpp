// The forward pass against float64 values of the bundled model (tests/data/tiny-llama-golden).

#include <algorithm>
#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>

#include "common/forward/layer_pass.h"
#include "common/linalg/product.h"
#include "common/model/checkpoint.h"

namespace lq::forward {
namespace {

using linalg::Compute;
using nlohmann::json;

const std::filesystem::path kData = LQ_TEST_DATA;

json golden(const char* name) {
  return json::parse(std::ifstream(kData / "tiny-llama-golden" / name));
}

class GoldenTest : public ::testing::Test {
 protected:
  GoldenTest() : checkpoint_(model::open_checkpoint(kData / "tiny-llama")), weights_(checkpoint_) {}

  /// Hidden states behind the last layer, normalised: what the output head reads.
  linalg::Matrix head_input(
      const std::vector<std::int32_t>& ids, const Windows& windows, Compute compute,
      const std::function<void(int, Site, const linalg::Matrix&)>& at_site =
          [](int, Site, const linalg::Matrix&) {}) {
    LayerPass pass(checkpoint_.config, compute, 2);
    std::vector<float> h = embed(weights_, ids, hidden());
    for (int layer = 0; layer < checkpoint_.config.n_layers; ++layer) {
      const Layer loaded = load_layer(weights_, checkpoint_.config, layer, compute, 2);
      pass.run(loaded, windows, h,
               [&](Site site, const linalg::Matrix& x) { at_site(layer, site, x); });
    }
    linalg::Matrix x = pass.normalized(load_vector(weights_, {model::TensorRole::kOutputNorm}), h);
    at_site(-1, Site::kHeadIn, x);
    return x;
  }
  /// [n_tokens, vocabulary]
  std::vector<float> logits(const std::vector<std::int32_t>& ids, const Windows& windows,
                            Compute compute) {
    const linalg::Matrix x = head_input(ids, windows, compute);
    const Linear head =
        load_linear(weights_, checkpoint_.config, model::TensorRole::kOutput, -1, compute, 2);
    std::vector<float> values(ids.size() * vocab());
    linalg::multiply(x, head.weight, values.data(), linalg::Into::kReplace, 2);
    return values;
  }
  /// -log p of `id` after `logits`.
  static double nll(std::span<const float> logits, std::int32_t id) {
    const double largest = *std::ranges::max_element(logits);
    double sum = 0;
    for (const float value : logits) sum += std::exp(double{value} - largest);
    return std::log(sum) + largest - double{logits[static_cast<std::size_t>(id)]};
  }
  std::size_t hidden() const { return static_cast<std::size_t>(checkpoint_.config.hidden); }
  std::size_t vocab() const { return static_cast<std::size_t>(checkpoint_.config.vocab); }

  void expect_logits(Compute compute, double tolerance) {
    for (const json& sequence : golden("logits.json")) {
      SCOPED_TRACE(sequence["name"]);
      const auto ids = sequence["ids"].get<std::vector<std::int32_t>>();
      const std::vector<float> got = logits(ids, {{ids.size()}}, compute);
      const auto wanted = sequence["logits"].get<std::vector<double>>();
      const auto last = std::span(got).last(vocab());
      double largest = 0;
      for (const double value : wanted) largest = std::max(largest, std::abs(value));
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        ASSERT_NEAR(last[i], wanted[i], tolerance * largest) << i;
      }
      const auto losses = sequence["nll"].get<std::vector<double>>();
      for (std::size_t i = 0; i < losses.size(); ++i) {
        ASSERT_NEAR(nll(std::span(got).subspan(i * vocab(), vocab()), ids[i + 1]), losses[i],
                    tolerance * std::max(1.0, losses[i]))
            << i;
      }
    }
  }

  model::Checkpoint checkpoint_;
  CheckpointWeights weights_;
};

TEST_F(GoldenTest, LogitsOfPlainLoops) { expect_logits(Compute::kReference, 1e-5); }
TEST_F(GoldenTest, LogitsInFloat32) { expect_logits(Compute::kF32, 1e-4); }
TEST_F(GoldenTest, LogitsInBfloat16) { expect_logits(Compute::kBf16, 0.03); }

TEST_F(GoldenTest, WindowsDoNotSeeEachOther) {
  const json sequences = golden("logits.json");
  const auto first = sequences[1]["ids"].get<std::vector<std::int32_t>>();
  const auto second = sequences[2]["ids"].get<std::vector<std::int32_t>>();
  std::vector<std::int32_t> both = first;
  both.insert(both.end(), second.begin(), second.end());
  const std::vector<float> together = logits(both, {{first.size(), second.size()}}, Compute::kF32);
  const auto wanted = sequences[2]["logits"].get<std::vector<double>>();
  const auto last = std::span(together).last(vocab());
  for (std::size_t i = 0; i < wanted.size(); ++i) ASSERT_NEAR(last[i], wanted[i], 2e-3) << i;
}

TEST_F(GoldenTest, InputsOfTheLinearLayers) {
  const json wanted = golden("activations.json");
  const auto ids = wanted["ids"].get<std::vector<std::int32_t>>();
  std::map<std::pair<int, Site>, std::vector<std::vector<float>>> rows;
  head_input(ids, {{ids.size()}}, Compute::kF32,
             [&](int layer, Site site, const linalg::Matrix& x) {
               for (std::size_t row = 0; row < x.rows(); ++row) {
                 auto& values = rows[{layer, site}].emplace_back(x.columns());
                 x.get(row, 0, values);
               }
             });
  const std::map<std::string, Site> sites = {
      {"self_attn.q_proj", Site::kAttnIn}, {"self_attn.k_proj", Site::kAttnIn},
      {"self_attn.v_proj", Site::kAttnIn}, {"self_attn.o_proj", Site::kAttnOut},
      {"mlp.gate_proj", Site::kMlpIn},     {"mlp.up_proj", Site::kMlpIn},
      {"mlp.down_proj", Site::kMlpDown}};
  std::size_t n_checked = 0;
  for (const auto& [name, values] : wanted["layers"].items()) {
    SCOPED_TRACE(name);
    std::pair<int, Site> place = {-1, Site::kHeadIn};
    if (name != "lm_head") {
      const std::string rest = name.substr(std::string("model.layers.").size());
      place = {std::stoi(rest), sites.at(rest.substr(rest.find('.') + 1))};
    }
    const auto& x = rows.at(place);
    ASSERT_EQ(x.size(), ids.size());
    double mean_abs_sum = 0, sum_sq_sum = 0, largest = 0;
    for (const auto& row : x) {
      for (const float value : row) {
        mean_abs_sum += std::abs(double{value}) / double(x.size());
        sum_sq_sum += double{value} * double{value};
        largest = std::max(largest, std::abs(double{value}));
      }
    }
    EXPECT_NEAR(mean_abs_sum / values["mean_abs_sum"].get<double>(), 1, 1e-4);
    EXPECT_NEAR(sum_sq_sum / values["sum_sq_sum"].get<double>(), 1, 1e-4);
    EXPECT_NEAR(largest / values["max_abs"].get<double>(), 1, 1e-4);
    ++n_checked;
  }
  EXPECT_GE(n_checked, 15U);
}

}  // namespace
}  // namespace lq::forward

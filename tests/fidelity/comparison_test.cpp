#include "common/fidelity/comparison.h"

#include <cmath>
#include <limits>

#include "common/fidelity/identity.h"
#include "common/fidelity/output_error.h"
#include "tests/subject/gguf_files.h"

namespace lq::testing {
namespace {

using fidelity::TensorError;
using forward::WeightKey;
using model::TensorRole;

std::vector<float> values_of(const FileTensor& tensor) {
  std::vector<float> values(tensor.bytes.size() / sizeof(float));
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

/// A random model beside a GGUF of it with a change.
class ComparisonTest : public ::testing::Test {
 protected:
  void change(const std::string& name, const std::function<float(float, std::size_t)>& changed) {
    FileTensor& tensor = gguf_.file.tensor(name);
    std::vector<float> values = values_of(tensor);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = changed(values[i], i);
    tensor.bytes.assign(reinterpret_cast<const char*>(values.data()), tensor.bytes.size());
  }
  /// In blocks of a type, by its own encoder.
  void encode(const std::string& name, codec::QuantType type) {
    FileTensor& tensor = gguf_.file.tensor(name);
    const std::vector<float> values = values_of(tensor);
    const auto columns = static_cast<std::int64_t>(tensor.spec.dims[0]);
    tensor.spec.type = type;
    tensor.bytes.resize(tensor.spec.n_bytes());
    codec::codec(type).encode(
        {values.data(), static_cast<std::int64_t>(values.size()) / columns, columns, nullptr},
        reinterpret_cast<std::byte*>(tensor.bytes.data()));
  }
  fidelity::Comparison compared(int n_threads = 1) const {
    const fidelity::Models models(gguf_.checkpoint.dir, gguf_.write());
    return fidelity::compare(models.sides(nullptr), n_threads);
  }
  static const TensorError& at(const fidelity::Comparison& all, const std::string& name) {
    return *std::ranges::find(all.tensors, name, &TensorError::name);
  }

  RandomGguf gguf_{"LlamaForCausalLM"};
};

TEST_F(ComparisonTest, OfItselfIsExact) {
  const fidelity::Comparison all = compared();
  EXPECT_EQ(all.tensors.size(), 3 + 3 * 9U);
  for (const TensorError& error : all.tensors) {
    EXPECT_EQ(error.relative_error(), 0) << error.name;
    EXPECT_EQ(error.n_beyond_rounding, 0U);
    EXPECT_NEAR(error.cosine(), 1, 1e-12);
    EXPECT_NEAR(error.gain(), 1, 1e-12);
    EXPECT_EQ(error.sqnr(), std::numeric_limits<double>::infinity());
    EXPECT_EQ(error.problem, "");
    EXPECT_TRUE(fidelity::is_identified(error));
  }
}

TEST_F(ComparisonTest, HasTheMeasuresOfTheValues) {
  change("blk.1.attn_q.weight",
         [](float value, std::size_t i) { return value * 1.5F + (i % 2 == 0 ? 0.25F : 0.0F); });
  const TensorError error = at(compared(), "blk.1.attn_q.weight");
  const RandomGguf original("LlamaForCausalLM");
  GgufFile file = original.file;
  const std::vector<float> w = values_of(file.tensor("blk.1.attn_q.weight"));
  double ww = 0, wq = 0, qq = 0, diff = 0, diff_sq = 0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double a = double{w[i]}, b = a * 1.5 + (i % 2 == 0 ? 0.25 : 0);
    ww += a * a;
    wq += a * b;
    qq += b * b;
    diff += b - a;
    diff_sq += (b - a) * (b - a);
  }
  const auto n = static_cast<double>(w.size());
  EXPECT_EQ(error.sums.n, n);
  EXPECT_NEAR(error.rmse(), std::sqrt(diff_sq / n), 1e-5);
  EXPECT_NEAR(error.relative_error(), std::sqrt(diff_sq / ww), 1e-5);
  EXPECT_NEAR(error.sqnr(), 10 * std::log10(ww / diff_sq), 1e-4);
  EXPECT_NEAR(error.cosine(), wq / std::sqrt(ww * qq), 1e-5);
  EXPECT_NEAR(error.gain(), wq / ww, 1e-5);
  EXPECT_NEAR(error.mean_error(), diff / n / std::sqrt(ww / n), 1e-5);
  EXPECT_EQ(error.n_beyond_rounding, w.size());
  EXPECT_FALSE(error.mean_steps.has_value());
  EXPECT_FALSE(fidelity::is_identified(error));
}

TEST_F(ComparisonTest, CountsAMeanErrorInSteps) {
  encode("blk.0.ffn_gate.weight", codec::QuantType::kQ8_0);
  const TensorError sound = at(compared(), "blk.0.ffn_gate.weight");
  EXPECT_EQ(sound.storage.name, "Q8_0");
  EXPECT_EQ(sound.storage.bits, 8);
  EXPECT_NEAR(sound.mean_steps.value(), 0, 0.02);
  // Each code one higher, where there is one.
  for (std::size_t i = 0; i < gguf_.file.tensor("blk.0.ffn_gate.weight").bytes.size(); ++i) {
    char& code = gguf_.file.tensor("blk.0.ffn_gate.weight").bytes[i];
    if (i % 34 >= 2 && code < 127) code = static_cast<char>(code + 1);
  }
  EXPECT_NEAR(at(compared(), "blk.0.ffn_gate.weight").mean_steps.value(), 1, 0.05);
}

TEST_F(ComparisonTest, DoesNotDependOnThreads) {
  change("blk.2.ffn_down.weight", [](float value, std::size_t i) {
    return value + 0.01F * std::sin(static_cast<float>(i));
  });
  encode("token_embd.weight", codec::QuantType::kQ4_0);
  const fidelity::Comparison one = compared(1), three = compared(3);
  for (std::size_t i = 0; i < one.tensors.size(); ++i) {
    EXPECT_EQ(one.tensors[i].name, three.tensors[i].name);
    EXPECT_EQ(one.tensors[i].sums.diff_sq, three.tensors[i].sums.diff_sq);
    EXPECT_EQ(one.tensors[i].sums.wq, three.tensors[i].sums.wq);
    EXPECT_EQ(one.tensors[i].mean_steps, three.tensors[i].mean_steps);
  }
}

TEST_F(ComparisonTest, ValuesThatCannotBeReadAreAProblemOfTheirTensor) {
  change("blk.1.ffn_up.weight", [](float value, std::size_t i) {
    return i == 700 ? std::numeric_limits<float>::quiet_NaN() : value;
  });
  const fidelity::Models models(gguf_.checkpoint.dir, gguf_.write());
  const fidelity::Comparison all = fidelity::compare(models.sides(nullptr), 2);
  EXPECT_NE(at(all, "blk.1.ffn_up.weight").problem.find("is not a finite number"),
            std::string::npos);
  EXPECT_EQ(at(all, "blk.1.ffn_down.weight").problem, "");
  const base::Findings findings = fidelity::identity_findings(models, all);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].tensor, "blk.1.ffn_up.weight");
  EXPECT_EQ(findings[0].what, "it cannot be compared");
}

TEST_F(ComparisonTest, ABiasThatOnlyOneHasIsAProblem) {
  const RandomGguf with_bias("Qwen2ForCausalLM"), without("Qwen3ForCausalLM");
  const fidelity::Models models(with_bias.checkpoint.dir, without.checkpoint.dir);
  const auto all = fidelity::compare(models.sides(nullptr), 1);
  EXPECT_EQ(at(all, "model.layers.0.self_attn.q_proj.bias").problem,
            "the result has no such tensor");
}

/// Values in memory.
class HeldTensor final : public fidelity::StoredTensor, public forward::WeightSource {
 public:
  explicit HeldTensor(std::vector<float> values) : values_(std::move(values)) {}
  void read(std::size_t first, std::span<float> out) const override {
    std::copy_n(values_.begin() + static_cast<std::ptrdiff_t>(first), out.size(), out.begin());
  }
  tensor::Shape shape(const WeightKey& /*key*/) const override { return {}; }
  void read(const WeightKey& /*key*/, std::size_t first, std::span<float> out) const override {
    read(first, out);
  }

 private:
  const std::vector<float> values_;
};

TEST(OutputError, IsTheTraceThroughTheGramMatrix) {
  constexpr std::size_t kRows = 70, kColumns = 200;
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> w(kRows * kColumns), q(w.size()), x(kColumns * 300);
  for (std::size_t i = 0; i < w.size(); ++i) {
    w[i] = normal(random);
    q[i] = w[i] + 0.1F * normal(random);
  }
  for (float& value : x) value = normal(random);
  for (const auto kind : {calibration::GramKind::kFull, calibration::GramKind::kBlock,
                          calibration::GramKind::kNone}) {
    calibration::LayerStats stats;
    stats.sites.emplace_back(&calibration::site_row(forward::Site::kMlpDown),
                             calibration::SiteStats(kind, kColumns));
    calibration::SiteStats& site = stats.sites.back().second;
    std::vector<double> gram(kColumns * kColumns);
    for (std::size_t i = 0; i < kColumns; ++i) {
      for (std::size_t j = 0; j < kColumns; ++j) {
        for (std::size_t t = 0; t < 300; ++t) {
          gram[i * kColumns + j] += double{x[t * kColumns + i]} * double{x[t * kColumns + j]};
        }
      }
      site.sum_sq[i] = gram[i * kColumns + i];
    }
    std::vector<double> kept(gram.size());
    for (std::size_t i = 0; i < kColumns; ++i) kept[i * kColumns + i] = site.sum_sq[i];
    for (const auto& square : calibration::gram_squares(kind, kColumns)) {
      for (std::size_t i = 0; i < square.n; ++i) {
        for (std::size_t j = 0; j < square.n; ++j) {
          const std::size_t from = (square.first + i) * kColumns + square.first + j;
          site.gram[square.place + i * square.n + j] = static_cast<float>(gram[from]);
          kept[from] = gram[from];
        }
      }
    }
    double error = 0, output = 0;
    for (std::size_t r = 0; r < kRows; ++r) {
      for (std::size_t i = 0; i < kColumns; ++i) {
        for (std::size_t j = 0; j < kColumns; ++j) {
          const auto e = [&](std::size_t c) {
            return double{q[r * kColumns + c]} - double{w[r * kColumns + c]};
          };
          error += e(i) * kept[i * kColumns + j] * e(j);
          output +=
              double{w[r * kColumns + i]} * kept[i * kColumns + j] * double{w[r * kColumns + j]};
        }
      }
    }
    const HeldTensor reference(w);
    fidelity::TensorPair pair{{TensorRole::kFfnDown, 0}, "down", {}, kRows, kColumns, &reference};
    pair.result = std::make_unique<HeldTensor>(q);
    EXPECT_NEAR(fidelity::output_error(pair, {}, stats, 2).value() / (error / output), 1, 1e-4);
    pair.key.role = TensorRole::kFfnNorm;
    EXPECT_FALSE(fidelity::output_error(pair, {}, stats, 2).has_value());
  }
}

TEST(Outliers, AreThoseFarFromTheMedianOfTheirRole) {
  fidelity::Comparison all;
  for (int layer = 0; layer < 5; ++layer) {
    TensorError error;
    error.key = {TensorRole::kFfnUp, layer};
    error.name = "up " + std::to_string(layer);
    error.storage = {"Q4_K", 4, 0};
    error.sums.ww = 1;
    error.sums.diff_sq = layer == 3 ? 0.1 * 0.1 : 0.03 * 0.03;
    all.tensors.push_back(error);
  }
  const base::Findings findings = fidelity::outliers(all);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].tensor, "up 3");
  EXPECT_EQ(findings[0].weight, base::Weight::kRemark);
  EXPECT_EQ(findings[0].why, "relative error 0.100, the median of 5 is 0.030");
}

}  // namespace
}  // namespace lq::testing

#include "common/hf/quantized_weights.h"

#include <cmath>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/model/tensor_map.h"
#include "tests/hf/stored_formats.h"
#include "tests/model/checkpoint_files.h"

namespace lq::hf {
namespace {

using forward::WeightKey;
using model::TensorRole;
using tensor::DType;
using testing::error_of;
using testing::ScratchDirectory;

/// A model directory of two layers, its linears in a format; with faults to order.
class Directory {
 public:
  explicit Directory(const std::string& format_name, const Scheme& scheme = {4, 32, true})
      : format_(*find_format(format_name)), scheme_(scheme) {
    config_ = testing::small_config();
    config_["num_key_value_heads"] = 4;
    const bool gptq = format_name.starts_with("gptq");
    config_["quantization_config"] = {{"quant_method", gptq ? "gptq" : format_name}};
    if (gptq) config_["quantization_config"]["checkpoint_format"] = format_name;
    unsigned seed = 0;
    for (const auto& [name, shape] : testing::small_shapes(config_)) {
      const bool quantized = name.find("_proj.") != std::string::npos;
      if (quantized) {
        const std::string module = name.substr(0, name.rfind('.'));
        add(module, testing::random_matrix(static_cast<std::size_t>(shape[0]),
                                           static_cast<std::size_t>(shape[1]), scheme_,
                                           format_.lowest_zero, ++seed));
      } else {
        add_plain(name, shape);
      }
    }
  }

  /// Replaces what was there.
  void add(const std::string& module, const tensor::QuantizedMatrix& matrix) {
    const Module linear = testing::module_of(matrix, scheme_, module);
    const auto specs = format_.tensors(linear, DType::kBF16);
    const auto data = format_.encode(matrix, scheme_, DType::kBF16, 1);
    for (std::size_t i = 0; i < specs.size(); ++i) {
      tensors_[specs[i].name] = {specs[i], testing::text_of(data[i])};
    }
    matrices_[module] = matrix;
  }
  void add_plain(const std::string& name, const tensor::Shape& shape, DType dtype = DType::kF32) {
    safetensors::TensorSpec spec{name, dtype, shape};
    std::vector<float> values(spec.n_bytes() / sizeof(float));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    tensors_[name] = {spec, testing::text_of(bytes_of(values))};
  }
  void remove(const std::string& name) { tensors_.erase(name); }
  std::string& data(const std::string& name) { return tensors_.at(name).second; }
  nlohmann::json& config() { return config_; }
  const tensor::QuantizedMatrix& matrix(const std::string& module) { return matrices_.at(module); }

  const model::Checkpoint& open() {
    std::vector<safetensors::TensorSpec> specs;
    std::vector<std::string> data;
    for (const auto& [name, tensor] : tensors_) {
      specs.push_back(tensor.first);
      data.push_back(tensor.second);
    }
    scratch_.write("config.json", config_.dump());
    scratch_.write("tokenizer.json", testing::small_tokenizer().dump());
    scratch_.write("model.safetensors", safetensors::serialize(specs, data));
    return checkpoint_.emplace(model::open_checkpoint(scratch_.path()));
  }
  base::ValidationError error() {
    const model::Checkpoint& checkpoint = open();
    auto error = error_of<base::ValidationError>([&] { QuantizedWeights{checkpoint}; });
    expect_common(error);
    return error;
  }
  base::ValidationError error_of_reading(const WeightKey& key) {
    const QuantizedWeights weights(open());
    std::vector<float> out(32);
    auto error = error_of<base::ValidationError>([&] { weights.read(key, 0, out); });
    return error;
  }
  void expect_common(const base::ValidationError& error) const {
    EXPECT_EQ(error.what(), "cannot use the weights of " + scratch_.path().string());
    EXPECT_EQ(error.fix(), "quantize the model again, or fetch it again");
  }

 private:
  static std::vector<std::byte> bytes_of(const std::vector<float>& values) {
    const auto bytes = std::as_bytes(std::span(values));
    return {bytes.begin(), bytes.end()};
  }

  const Format& format_;
  const Scheme scheme_;
  nlohmann::json config_;
  std::map<std::string, std::pair<safetensors::TensorSpec, std::string>> tensors_;
  std::map<std::string, tensor::QuantizedMatrix> matrices_;
  ScratchDirectory scratch_;
  std::optional<model::Checkpoint> checkpoint_;
};

constexpr WeightKey kQ{TensorRole::kAttnQ, 0};
constexpr WeightKey kDown{TensorRole::kFfnDown, 1};
const std::string kQName = "model.layers.0.self_attn.q_proj";
const std::string kDownName = "model.layers.1.mlp.down_proj";

void expect_rows(const QuantizedWeights& weights, const WeightKey& key,
                 const tensor::QuantizedMatrix& matrix) {
  EXPECT_EQ(weights.shape(key), (tensor::Shape{static_cast<std::int64_t>(matrix.rows),
                                               static_cast<std::int64_t>(matrix.columns)}));
  // Pieces that begin and end inside rows.
  const std::size_t n = matrix.rows * matrix.columns, piece = 100;
  for (std::size_t first = 0; first < n; first += piece) {
    std::vector<float> out(std::min(piece, n - first));
    weights.read(key, first, out);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::size_t at = first + i;
      ASSERT_EQ(out[i], matrix.value(at / matrix.columns, at % matrix.columns)) << at;
    }
  }
}

TEST(QuantizedWeights, AreWhatTheFormatHoldsInEveryScheme) {
  for (const Format* format : formats()) {
    for (const int bits : format->bits) {
      for (const std::size_t group : {0, 32}) {
        for (const bool symmetric : {true, false}) {
          SCOPED_TRACE(
              fmt::format("{} {}", format->name, describe(Scheme{bits, group, symmetric})));
          Directory directory(std::string(format->name), {bits, group, symmetric});
          const QuantizedWeights weights(directory.open());
          expect_rows(weights, kQ, directory.matrix(kQName));
          expect_rows(weights, kDown, directory.matrix(kDownName));
          expect_rows(weights, kQ, directory.matrix(kQName));
        }
      }
    }
  }
}

TEST(QuantizedWeights, HavePlainTensorsAsTheyAre) {
  Directory directory("gptq");
  const QuantizedWeights weights(directory.open());
  const WeightKey norm{TensorRole::kOutputNorm};
  EXPECT_EQ(weights.shape(norm), tensor::Shape{32});
  std::vector<float> out(4);
  weights.read(norm, 3, out);
  EXPECT_EQ(out, (std::vector<float>{3, 4, 5, 6}));
  EXPECT_TRUE(weights.shape({TensorRole::kAttnQ, 0, true}).empty());  // a bias that is not there
  EXPECT_TRUE(weights.shape({TensorRole::kAttnQ, 7}).empty());
}

TEST(QuantizedWeights, ReadLinearsThatWereLeftFloat) {
  Directory directory("compressed-tensors");
  for (const char* suffix : {"weight_packed", "weight_scale", "weight_shape"}) {
    directory.remove(kDownName + "." + suffix);
  }
  directory.add_plain(kDownName + ".weight", {32, 64});
  const QuantizedWeights weights(directory.open());
  std::vector<float> out(2);
  weights.read(kDown, 65, out);
  EXPECT_EQ(out, (std::vector<float>{65, 66}));
  expect_rows(weights, kQ, directory.matrix(kQName));
}

TEST(QuantizedWeights, ReadGroupsOfColumnsByImportance) {
  Directory directory("gptq");
  tensor::QuantizedMatrix matrix = directory.matrix(kDownName);
  for (std::size_t column = 0; column < matrix.columns; ++column) {
    matrix.group_of.push_back(static_cast<std::int32_t>(column % 2));
  }
  directory.add(kDownName, matrix);
  expect_rows(QuantizedWeights(directory.open()), kDown, matrix);
}

TEST(QuantizedWeights, ReadAQuantizedOutputMatrix) {
  Directory directory("gptq");
  directory.config()["vocab_size"] = 32;
  directory.add_plain("model.embed_tokens.weight", {32, 32});
  directory.remove("lm_head.weight");
  directory.add("lm_head", testing::random_matrix(32, 32, {4, 32, true}, 1, 77));
  expect_rows(QuantizedWeights(directory.open()), {TensorRole::kOutput},
              directory.matrix("lm_head"));
}

TEST(QuantizedWeights, TakeTheEmbeddingsForATiedOutput) {
  Directory directory("gptq");
  directory.config()["tie_word_embeddings"] = true;
  directory.remove("lm_head.weight");
  const QuantizedWeights weights(directory.open());
  EXPECT_EQ(weights.shape({TensorRole::kOutput}), (tensor::Shape{10, 32}));
  std::vector<float> out(1);
  weights.read({TensorRole::kOutput}, 33, out);
  EXPECT_EQ(out.front(), 33);
}

TEST(QuantizedWeights, AreRefusedInAnUnknownFormat) {
  for (const nlohmann::json& config :
       {nlohmann::json(nullptr), nlohmann::json("gptq"), nlohmann::json::object(),
        nlohmann::json{{"quant_method", 4}}, nlohmann::json{{"quant_method", "bitsandbytes"}},
        nlohmann::json{{"quant_method", "gptq"}, {"checkpoint_format", "marlin"}}}) {
    Directory directory("gptq");
    directory.config()["quantization_config"] = config;
    EXPECT_EQ(directory.error().why(),
              "config.json names no format of quantized weights that is known")
        << config;
  }
}

TEST(QuantizedWeights, AreRefusedWithoutATensor) {
  Directory norm("gptq");
  norm.remove("model.norm.weight");
  EXPECT_EQ(norm.error().why(),
            "there is neither model.norm.weight nor what gptq has in its place");
  for (const char* suffix : {"qweight", "scales"}) {
    Directory linear("gptq");
    linear.remove(kQName + "." + suffix);
    EXPECT_EQ(linear.error().why(),
              "there is neither " + kQName + ".weight nor what gptq has in its place");
  }
  Directory other("compressed-tensors");
  other.config()["quantization_config"] = {{"quant_method", "awq"}};
  EXPECT_TRUE(other.error().why().ends_with(" nor what awq has in its place"));
  Directory head("gptq");
  head.remove("lm_head.weight");
  EXPECT_EQ(head.error().why(), "there is neither lm_head.weight nor what gptq has in its place");
  Directory zeros("gptq");
  zeros.remove(kQName + ".qzeros");
  const auto error = zeros.error_of_reading(kQ);
  EXPECT_EQ(error.what(), "cannot read the quantized linear `" + kQName + "`");
  EXPECT_EQ(error.why(), "there is no `qzeros`");
}

TEST(QuantizedWeights, AreRefusedWhereAShapeIsNotTheConfigs) {
  Directory plain("gptq");
  plain.add_plain("model.norm.weight", {31});
  EXPECT_EQ(plain.error().why(), "model.norm.weight has another shape than config.json implies");
  // Twice the columns: a scheme of other bits would fit, the rows do not.
  Directory rows("gptq");
  rows.add(kQName, testing::random_matrix(64, 32, {4, 32, true}, 1));
  const auto error = rows.error_of_reading(kQ);
  rows.expect_common(error);
  EXPECT_EQ(error.why(), kQName + " has another shape than config.json implies");
  Directory columns("gptq");
  columns.add(kQName, testing::random_matrix(32, 96, {4, 32, true}, 1));
  EXPECT_EQ(columns.error().why(),
            "there is neither " + kQName + ".weight nor what gptq has in its place");
  Directory vector("gptq");
  vector.add_plain(kQName + ".qweight", {4 * 32}, DType::kI32);
  EXPECT_EQ(vector.error().why(),
            "there is neither " + kQName + ".weight nor what gptq has in its place");
}

TEST(QuantizedWeights, AreRefusedWhereShapesHoldOtherBits) {
  // As many words as 8 bits would take: codes that no 32 columns have are never read.
  Directory directory("compressed-tensors");
  directory.add_plain(kQName + ".weight_packed", {32, 8}, DType::kI32);
  const QuantizedWeights weights(directory.open());
  EXPECT_EQ(weights.shape(kQ), (tensor::Shape{32, 32}));
  std::vector<float> out(32 * 32);
  weights.read(kQ, 0, out);  // 8 bits, as their sizes say
  directory.data(kQName + ".weight_shape")[0] = 33;
  const auto error = directory.error_of_reading(kQ);
  EXPECT_EQ(error.why(),
            "`weight_shape` says [33, 32], which do not pack into `weight_packed` [32, 8] at 8 "
            "bits");
}

TEST(QuantizedWeights, AreRefusedOfATypeThatHoldsNoRealNumbers) {
  Directory directory("gptq");
  directory.add_plain("model.norm.weight", {32}, DType::kI32);
  EXPECT_EQ(directory.error().why(),
            "model.norm.weight is of type I32, which holds no real numbers");
}

TEST(QuantizedWeights, AreRefusedWhereValuesAreNotFinite) {
  Directory plain("gptq");
  const float infinite = INFINITY;
  std::memcpy(plain.data("model.norm.weight").data() + 8, &infinite, sizeof infinite);
  const auto error = plain.error_of_reading({TensorRole::kOutputNorm});
  plain.expect_common(error);
  EXPECT_EQ(error.why(), "model.norm.weight has values that are not finite");
  Directory scales("gptq");
  scales.data(kQName + ".scales")[1] = '\x7E';  // a NaN of F16
  EXPECT_EQ(scales.error_of_reading(kQ).why(), "value 0 of `scales` is not finite");
}

TEST(QuantizedWeights, AreRefusedWhereAColumnIsInNoGroup) {
  Directory directory("gptq");
  directory.data(kQName + ".g_idx")[3] = '\x7F';
  EXPECT_EQ(directory.error_of_reading(kQ).why(),
            "`g_idx` puts column 0 into group 2130706432 of 1");
}

}  // namespace
}  // namespace lq::hf

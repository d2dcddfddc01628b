#include "common/subject/gguf_weights.h"

#include <atomic>
#include <gtest/gtest.h>
#include <random>
#include <thread>

#include "common/subject/gguf_config.h"
#include "tests/subject/gguf_files.h"

namespace lq::testing {
namespace {

using base::UnsupportedError;
using base::ValidationError;
using codec::QuantType;
using forward::WeightKey;
using model::TensorRole;

/// A file with its weights.
struct Opened {
  explicit Opened(const std::filesystem::path& path)
      : reader(path),
        architecture(subject::gguf_architecture(reader)),
        config(subject::gguf_config(reader, architecture)),
        weights(reader, architecture, config) {}

  std::vector<float> read(const WeightKey& key, std::size_t first, std::size_t n) const {
    std::vector<float> values(n);
    weights.read(key, first, values);
    return values;
  }
  std::vector<float> all(const WeightKey& key) const {
    std::size_t n = 1;
    for (const std::int64_t extent : weights.shape(key)) n *= static_cast<std::size_t>(extent);
    return read(key, 0, n);
  }

  const gguf::Reader reader;
  const model::Architecture& architecture;
  const model::ModelConfig config;
  const subject::GgufWeights weights;
};

template <class E>
E error_with(const RandomGguf& model) {
  const auto path = model.write();
  return error_of<E>([&] { Opened{path}; });
}

std::vector<WeightKey> keys_of(const model::Architecture& architecture, int n_layers) {
  std::vector<WeightKey> keys;
  for (const model::TensorRow& row : architecture.tensors) {
    for (int layer = row.per_layer() ? 0 : -1; layer < (row.per_layer() ? n_layers : 0); ++layer) {
      for (const bool is_bias : {false, true}) keys.push_back({row.role, layer, is_bias});
    }
  }
  return keys;
}

void expect_those_of_the_source(const RandomGguf& model) {
  const Opened gguf(model.write());
  const forward::CheckpointWeights source(model.checkpoint);
  for (const WeightKey& key : keys_of(gguf.architecture, 3)) {
    const tensor::Shape shape = source.shape(key);
    ASSERT_EQ(gguf.weights.shape(key), shape);
    if (shape.empty()) continue;
    std::vector<float> wanted(gguf.all(key).size());
    source.read(key, 0, wanted);
    EXPECT_EQ(gguf.all(key), wanted) << static_cast<int>(key.role) << " of layer " << key.layer;
  }
}

TEST(GgufWeights, AreThoseOfTheSource) {
  expect_those_of_the_source(RandomGguf("LlamaForCausalLM"));
  expect_those_of_the_source(
      RandomGguf("LlamaForCausalLM", {{"attention_bias", true}, {"mlp_bias", true}}));
  expect_those_of_the_source(
      RandomGguf("LlamaForCausalLM", {{"tie_word_embeddings", true}, {"head_dim", 24}}));
  expect_those_of_the_source(RandomGguf("Qwen2ForCausalLM"));
  expect_those_of_the_source(RandomGguf("Qwen3ForCausalLM", {{"head_dim", 32}}));
}

/// Encodes a tensor's values in the order of the file.
void encode(GgufFile& file, const std::string& name, QuantType type) {
  FileTensor& tensor = file.tensor(name);
  const codec::Codec& codec = codec::codec(type);
  const auto columns = static_cast<std::int64_t>(tensor.spec.dims[0]);
  const auto rows = static_cast<std::int64_t>(tensor.spec.dims[1]);
  const std::string floats = tensor.bytes;
  tensor.spec.type = type;
  tensor.bytes.assign(tensor.spec.n_bytes(), '\0');
  codec.encode({reinterpret_cast<const float*>(floats.data()), rows, columns, nullptr},
               reinterpret_cast<std::byte*>(tensor.bytes.data()));
}

TEST(GgufWeights, AreTheSameInWhateverRangesTheyAreRead) {
  RandomGguf model("LlamaForCausalLM", {{"attention_bias", true}});
  for (const char* name : {"blk.1.attn_q.weight", "blk.1.ffn_gate.weight"}) {
    encode(model.file, name, QuantType::kQ4_0);
  }
  const Opened gguf(model.write());
  std::mt19937 random(3);
  for (const WeightKey& key :
       {WeightKey{TensorRole::kAttnQ, 1}, WeightKey{TensorRole::kFfnGate, 1},
        WeightKey{TensorRole::kAttnK, 1}, WeightKey{TensorRole::kAttnQ, 1, true}}) {
    const std::vector<float> all = gguf.all(key);
    for (int i = 0; i < 200; ++i) {
      const std::size_t first = random() % all.size(), n = random() % (all.size() - first + 1);
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
      ASSERT_EQ(gguf.read(key, first, n),
                std::vector(begin, begin + static_cast<std::ptrdiff_t>(n)));
    }
  }
}

TEST(GgufWeights, AreNearTheSourceInEachTypeThatIsWritten) {
  // Blocks of 256 need wider rows than the other tests have.
  const nlohmann::json keys = {{"hidden_size", 256}, {"num_hidden_layers", 1}};
  for (const codec::Codec& codec : codec::codecs()) {
    if (codec.encode == nullptr) continue;
    SCOPED_TRACE(codec.name);
    RandomGguf model("LlamaForCausalLM", keys);
    encode(model.file, "blk.0.attn_k.weight", codec.type);
    const Opened gguf(model.write());
    const forward::CheckpointWeights source(model.checkpoint);
    const WeightKey key{TensorRole::kAttnK, 0};
    const std::vector<float> values = gguf.all(key);
    std::vector<float> wanted(values.size());
    source.read(key, 0, wanted);
    double error = 0, power = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      error += (values[i] - wanted[i]) * (values[i] - wanted[i]);
      power += wanted[i] * wanted[i];
    }
    EXPECT_LT(error / power, 0.1);  // of rows that are in a wrong place: 2
  }
}

TEST(GgufWeights, ReadOnlyTheBlocksThatAreAskedFor) {
  RandomGguf model("LlamaForCausalLM");
  encode(model.file, "blk.0.attn_q.weight", QuantType::kQ8_0);
  const Opened gguf(model.write());
  const std::uint64_t before = gguf.reader.bytes_read();
  gguf.read({TensorRole::kAttnQ, 0}, 3 * 64, 2 * 64);
  EXPECT_EQ(gguf.reader.bytes_read() - before, 4U * 34);
  gguf.read({TensorRole::kAttnQ, 0}, 5 * 64 + 33, 2);
  EXPECT_EQ(gguf.reader.bytes_read() - before, 5U * 34);
}

TEST(GgufWeights, AreReadFromSeveralThreads) {
  const RandomGguf model("LlamaForCausalLM");
  const Opened gguf(model.write());
  const WeightKey key{TensorRole::kAttnQ, 2};
  const std::vector<float> wanted = gguf.all(key);
  std::atomic<int> n_equal = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { n_equal += gguf.all(key) == wanted; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(n_equal, 4);
}

TEST(GgufWeights, OfASplitFileAreThoseOfTheWhole) {
  const RandomGguf model("LlamaForCausalLM");
  const Opened whole(model.write());
  std::vector<gguf::TensorSpec> specs;
  for (const FileTensor& one : model.file.tensors) specs.push_back(one.spec);
  const auto parts = gguf::lay_out_split(model.file.metadata, specs, 300'000);
  ASSERT_GT(parts.size(), 2U);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const gguf::SplitPart& part = parts[i];
    std::string bytes(part.layout.file_bytes, '\0');
    std::ranges::copy(part.layout.header, reinterpret_cast<std::byte*>(bytes.data()));
    for (std::size_t j = 0; j < part.n_tensors; ++j) {
      bytes.replace(part.layout.offsets[j], model.file.tensors[part.first_tensor + j].bytes.size(),
                    model.file.tensors[part.first_tensor + j].bytes);
    }
    model.scratch.write(gguf::split_name("split", i, parts.size()), bytes);
  }
  const Opened split(model.scratch.path() / gguf::split_name("split", 1, parts.size()));
  for (const WeightKey& key : keys_of(whole.architecture, 3)) {
    if (whole.weights.shape(key).empty()) continue;
    EXPECT_EQ(split.all(key), whole.all(key));
  }
}

TEST(GgufWeights, NameAllThatIsMissingOrMisshapen) {
  RandomGguf model("LlamaForCausalLM");
  model.file.remove_tensor("blk.0.attn_q.weight");
  model.file.remove_tensor("output_norm.weight");
  model.file.replace("blk.2.ffn_down.weight", {64, 112}, QuantType::kF32);
  const auto error = error_with<ValidationError>(model);
  EXPECT_EQ(error.why(),
            "tensor output_norm.weight is missing; tensor blk.0.attn_q.weight is missing; tensor "
            "blk.2.ffn_down.weight has dimensions [64, 112], its metadata imply [112, 64]");
}

TEST(GgufWeights, RejectAVectorInPlaceOfAMatrix) {
  RandomGguf model("LlamaForCausalLM");
  model.file.replace("blk.0.attn_k.weight", {64 * 32}, QuantType::kF32);
  EXPECT_EQ(error_with<ValidationError>(model).why(),
            "tensor blk.0.attn_k.weight has dimensions [2048], its metadata imply [64, 32]");
}

TEST(GgufWeights, NeedTheBiasesOfAFamilyThatHasThem) {
  RandomGguf model("Qwen2ForCausalLM");
  model.file.remove_tensor("blk.1.attn_v.bias");
  EXPECT_EQ(error_with<ValidationError>(model).why(), "tensor blk.1.attn_v.bias is missing");
}

TEST(GgufWeights, RejectMoreLayersThanTheFileHas) {
  RandomGguf model("LlamaForCausalLM");
  model.file.metadata.set("llama.block_count", std::uint32_t{65535});
  const std::string why = error_with<ValidationError>(model).why();
  EXPECT_TRUE(why.starts_with("tensor blk.3.attn_norm.weight is missing; ")) << why;
  EXPECT_TRUE(why.ends_with(" more")) << why;
}

TEST(GgufWeights, RefuseATensorThatTheFamilyHasNoPlaceFor) {
  RandomGguf model("Qwen2ForCausalLM");
  model.file.add("blk.0.attn_q_norm.weight\x7f", std::vector<float>(16, 1), {16});
  model.file.add("rope_freqs.weight", std::vector<float>(8, 1), {8});
  const auto error = error_with<UnsupportedError>(model);
  EXPECT_EQ(error.why(),
            "'qwen2' has no place for 2 of its tensors: blk.0.attn_q_norm.weight\\x7F, "
            "rope_freqs.weight");
  EXPECT_EQ(error.fix(), "use a dense text model of a family that lq knows");
}

TEST(GgufWeights, RefuseTypesThatHoldNoWeights) {
  for (const QuantType type : {QuantType::kI8, QuantType::kI64, QuantType::kQ8_1}) {
    RandomGguf model("LlamaForCausalLM");
    model.file.replace("blk.0.attn_k.weight", {64, 32}, type);
    EXPECT_EQ(error_with<UnsupportedError>(model).why(),
              "tensor `blk.0.attn_k.weight` is of type " + std::string(codec::codec(type).name) +
                  ", which holds no weights");
  }
}

TEST(GgufWeights, RejectValuesThatAreNotFinite) {
  RandomGguf model("LlamaForCausalLM");
  model.file.replace("blk.0.attn_k.weight", {64, 32}, QuantType::kF16);
  // The file's row 1 of a head is the checkpoint's row 8.
  model.file.tensor("blk.0.attn_k.weight").bytes.replace((64 + 5) * 2, 2, "\x00\x7c", 2);
  const Opened gguf(model.write());
  gguf.read({TensorRole::kAttnK, 0}, 0, 8 * 64);
  const auto error = error_of<ValidationError>([&] {
    gguf.read({TensorRole::kAttnK, 0}, 8 * 64, 64);
  });
  EXPECT_EQ(error.why(), "element 69 of tensor `blk.0.attn_k.weight` is not a finite number");
  EXPECT_EQ(error.fix(),
            "get the file from its source again; if that has the same value, the model is damaged");
}

}  // namespace
}  // namespace lq::testing

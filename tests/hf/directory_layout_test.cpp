#include "common/hf/directory_layout.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <set>

#include "common/hf/companion_files.h"
#include "common/model/sound_weights.h"
#include "common/safetensors/model.h"
#include "common/tensor/convert.h"
#include "tests/hf/stored_formats.h"
#include "tests/model/checkpoint_files.h"

namespace lq::hf {
namespace {

using model::TensorRole;
using tensor::DType;
using testing::error_of;
using testing::read_file;
using testing::ScratchDirectory;
using testing::Shapes;

const std::filesystem::path kTinyLlama = LQ_TEST_DATA "/tiny-llama";

/// All linears of the decoder in `scheme`: q, k, v of a layer together, o, gate and up, down.
DirectoryRequest request_of(const model::Checkpoint& checkpoint, const char* format,
                            const Scheme& scheme) {
  DirectoryRequest request;
  request.checkpoint = &checkpoint;
  request.format = find_format(format);
  request.facts.scheme = scheme;
  request.facts.quantizer = "test:1";
  const std::vector<std::vector<TensorRole>> groups = {
      {TensorRole::kAttnQ, TensorRole::kAttnK, TensorRole::kAttnV},
      {TensorRole::kAttnOutput},
      {TensorRole::kFfnGate, TensorRole::kFfnUp},
      {TensorRole::kFfnDown}};
  for (int layer = 0; layer < checkpoint.config.n_layers; ++layer) {
    for (const auto& roles : groups) {
      request.groups.emplace_back();
      for (const model::TensorRow& row : checkpoint.architecture->tensors) {
        if (std::ranges::find(roles, row.role) == roles.end()) continue;
        request.groups.back().push_back(request.facts.modules.size());
        request.facts.modules.push_back(
            {model::expand_layer(row.hf, layer), row.role, layer,
             static_cast<std::size_t>(model::extent_of(row.rows, checkpoint.config)),
             static_cast<std::size_t>(model::extent_of(row.columns, checkpoint.config)), scheme,
             ""});
      }
    }
  }
  return request;
}

/// What a group's unit would compute: another matrix for each module.
std::vector<tensor::QuantizedMatrix> matrices_of(const DirectoryRequest& request,
                                                 const GroupSection& group) {
  std::vector<tensor::QuantizedMatrix> matrices;
  for (const ModulePlace& place : group.modules) {
    const Module& module = request.facts.modules[place.module];
    matrices.push_back(testing::random_matrix(module.rows, module.columns, *module.scheme,
                                              request.format->lowest_zero,
                                              static_cast<unsigned>(place.module)));
  }
  return matrices;
}

/// Writes the directory section by section, each byte once; the model card is empty.
class Written {
 public:
  Written(const DirectoryRequest& request, const DirectoryLayout& layout)
      : layout_(layout), contents_(layout.files.size()), counts_(layout.files.size()) {
    for (std::size_t i = 0; i < layout.files.size(); ++i) {
      if (layout.files[i].is_open()) continue;
      contents_[i].resize(layout.files[i].size);
      counts_[i].resize(layout.files[i].size);
    }
    for (const HeaderSection& header : layout.headers) put(header.place, header.bytes);
    for (const GroupSection& group : layout.groups) {
      put(group.place, group_bytes(request, group, {matrices_of(request, group)}, 1));
    }
    for (const CopiedPiece& piece : layout.pieces) {
      put(piece.place, copied_bytes(*request.checkpoint, piece));
    }
    for (const TextSection& text : layout.texts) put_text(text.place, text.text);
    for (const FileSection& file : layout.copied_files)
      put_text(file.place, read_file(file.source));
    for (const std::vector<int>& counts : counts_) {
      EXPECT_TRUE(std::ranges::all_of(counts, [](int count) { return count == 1; }));
    }
    for (std::size_t i = 0; i < contents_.size(); ++i) {
      std::filesystem::create_directories((path() / layout.files[i].path).parent_path());
      scratch_.write(layout.files[i].path.string(), contents_[i]);
    }
  }
  const std::filesystem::path& path() const { return scratch_.path(); }
  std::string text(const std::string& name) const { return read_file(path() / name); }

 private:
  void put(const stage::Extent& place, const std::vector<std::byte>& bytes) {
    put_text(place, testing::text_of(bytes));
  }
  void put_text(const stage::Extent& place, const std::string& bytes) {
    ASSERT_EQ(place.size, bytes.size());
    ASSERT_LE(place.offset + place.size, contents_[place.file].size());
    for (std::uint64_t i = 0; i < place.size; ++i) {
      contents_[place.file][place.offset + i] = bytes[i];
      ++counts_[place.file][place.offset + i];
    }
  }

  const DirectoryLayout& layout_;
  ScratchDirectory scratch_;
  std::vector<std::string> contents_;
  std::vector<std::vector<int>> counts_;
};

void expect_aligned(const tensor::TensorSource& weights) {
  for (const tensor::TensorInfo& info : weights.tensors()) {
    EXPECT_EQ(info.offset % safetensors::alignment_of(info.dtype), 0U) << info.name;
  }
}

/// The quantized modules read back are those that were made.
void expect_modules(const DirectoryRequest& request, const DirectoryLayout& layout,
                    const tensor::TensorSource& weights) {
  for (const GroupSection& group : layout.groups) {
    const auto matrices = matrices_of(request, group);
    for (std::size_t i = 0; i < matrices.size(); ++i) {
      const Module& module = request.facts.modules[group.modules[i].module];
      const auto back = request.format->decode(weights, module.name, *module.scheme);
      EXPECT_EQ(back.codes, matrices[i].codes) << module.name;
      EXPECT_EQ(back.scales, matrices[i].scales) << module.name;
      EXPECT_EQ(back.zeros, matrices[i].zeros) << module.name;
      EXPECT_EQ(weights.find(module.name + ".weight"), nullptr);
    }
  }
}

std::vector<std::string> names_of(const DirectoryLayout& layout) {
  std::vector<std::string> names;
  for (const stage::OutputFile& file : layout.files) names.push_back(file.path.string());
  return names;
}

TEST(DirectoryLayout, IsOneFileOfWeightsUnderTheLimitInEveryFormat) {
  const model::Checkpoint checkpoint = model::open_checkpoint(kTinyLlama);
  for (const Format* format : formats()) {
    for (const bool symmetric : {true, false}) {
      SCOPED_TRACE(format->name);
      const auto request =
          request_of(checkpoint, std::string(format->name).c_str(), {4, 128, symmetric});
      const DirectoryLayout layout = lay_out_directory(request);
      std::vector<std::string> names = {"model.safetensors", "config.json"};
      if (!format->config_copy.empty()) names.emplace_back("quantize_config.json");
      names.insert(names.end(), {"generation_config.json", "special_tokens_map.json",
                                 "tokenizer.json", "tokenizer_config.json", "README.md"});
      EXPECT_EQ(names_of(layout), names);
      EXPECT_TRUE(layout.files[layout.readme].is_open());
      EXPECT_EQ(layout.files[layout.readme].path, "README.md");
      EXPECT_TRUE(layout.unknown_tensors.empty());
      const Written written(request, layout);
      const auto weights = safetensors::open_model(written.path());
      EXPECT_TRUE(weights->warnings().empty());
      expect_aligned(*weights);
      expect_modules(request, layout, *weights);
      EXPECT_EQ(written.text("tokenizer.json"), read_file(kTinyLlama / "tokenizer.json"));
      const auto config = nlohmann::json::parse(written.text("config.json"));
      EXPECT_EQ(config["torch_dtype"], "bfloat16");
      EXPECT_EQ(config["quantization_config"], nlohmann::json(format->config(request.facts)));
      if (!format->config_copy.empty()) {
        EXPECT_EQ(nlohmann::json::parse(written.text("quantize_config.json")),
                  config["quantization_config"]);
      }
    }
  }
}

TEST(DirectoryLayout, CopiesTensorsOfTheSameTypeByteForByte) {
  const model::Checkpoint checkpoint = model::open_checkpoint(kTinyLlama);
  const auto request = request_of(checkpoint, "gptq", {4, 128, true});
  const Written written(request, lay_out_directory(request));
  const auto weights = safetensors::open_model(written.path());
  std::size_t n_copied = 0;
  for (const tensor::TensorInfo& info : checkpoint.weights->tensors()) {
    const tensor::TensorInfo* copy = weights->find(info.name);
    if (copy == nullptr) continue;
    ++n_copied;
    std::vector<std::byte> a(info.n_bytes), b(copy->n_bytes);
    checkpoint.weights->read(info, 0, a);
    weights->read(*copy, 0, b);
    EXPECT_EQ(a, b) << info.name;
  }
  EXPECT_EQ(n_copied, 3 + 2 * 6U);  // embeddings, last norm, output; two norms a layer
}

TEST(DirectoryLayout, CutsWeightsAtTheLimitAndIndexesThem) {
  const model::Checkpoint checkpoint = model::open_checkpoint(kTinyLlama);
  auto request = request_of(checkpoint, "compressed-tensors", {4, 128, false});
  request.max_shard_bytes = 1'100'000;
  const DirectoryLayout layout = lay_out_directory(request);
  EXPECT_GT(layout.headers.size(), 3U);
  EXPECT_EQ(layout.files[0].path,
            "model-00001-of-0000" + std::to_string(layout.headers.size()) + ".safetensors");
  EXPECT_EQ(layout.files[layout.headers.size()].path, "model.safetensors.index.json");
  for (const HeaderSection& header : layout.headers) {
    EXPECT_LE(layout.files[header.place.file].size - header.bytes.size(), 1'100'000U);
  }
  const Written written(request, layout);
  const auto weights = safetensors::open_model(written.path());
  EXPECT_TRUE(weights->warnings().empty());
  expect_aligned(*weights);
  expect_modules(request, layout, *weights);
  std::uint64_t bytes = 0;
  for (const tensor::TensorInfo& info : weights->tensors()) bytes += info.n_bytes;
  const auto index = nlohmann::json::parse(written.text("model.safetensors.index.json"));
  EXPECT_EQ(index["metadata"]["total_size"], bytes);
  EXPECT_EQ(layout.weight_bytes, bytes);
  EXPECT_EQ(index["weight_map"].size(), weights->tensors().size());
}

TEST(DirectoryLayout, PutsARunAboveTheLimitAlone) {
  const model::Checkpoint checkpoint = model::open_checkpoint(kTinyLlama);
  auto request = request_of(checkpoint, "gptq", {8, 128, true});
  request.max_shard_bytes = 1;
  const DirectoryLayout layout = lay_out_directory(request);
  // Two matrices, thirteen norms, four groups a layer.
  EXPECT_EQ(layout.headers.size(), 2 + 13 + 4 * 6U);
  for (const GroupSection& group : layout.groups) {
    EXPECT_EQ(group.place.offset, layout.headers[group.place.file].bytes.size());
    EXPECT_EQ(group.place.offset + group.place.size, layout.files[group.place.file].size);
  }
}

TEST(DirectoryLayout, LeavesFloatModulesOfAGroupToTheCopiedTensors) {
  const model::Checkpoint checkpoint = model::open_checkpoint(kTinyLlama);
  auto request = request_of(checkpoint, "compressed-tensors", {4, 128, true});
  for (Module& module : request.facts.modules) {
    if (module.layer == 2 && module.role == TensorRole::kFfnDown) module.scheme.reset();
  }
  const DirectoryLayout layout = lay_out_directory(request);
  EXPECT_TRUE(layout.groups[2 * 4 + 3].modules.empty());
  EXPECT_EQ(layout.groups[2 * 4 + 3].place.size, 0U);
  const Written written(request, layout);
  const auto weights = safetensors::open_model(written.path());
  EXPECT_NE(weights->find("model.layers.2.mlp.down_proj.weight"), nullptr);
  EXPECT_EQ(weights->find("model.layers.2.mlp.down_proj.weight_packed"), nullptr);
  const auto config = nlohmann::json::parse(written.text("config.json"));
  EXPECT_EQ(config["quantization_config"]["ignore"],
            nlohmann::json({"model.layers.2.mlp.down_proj"}));
}

class SmallModel : public ::testing::Test {
 protected:
  model::Checkpoint make(const Shapes& more = {}, bool tied = false) {
    nlohmann::json config = testing::small_config();
    config["tie_word_embeddings"] = tied;
    config["hidden_size"] = 32;
    Shapes shapes = testing::small_shapes(config);
    shapes.insert(more.begin(), more.end());
    return model::open_checkpoint(testing::write_model(source_, config, shapes));
  }
  std::vector<float> floats(const tensor::TensorSource& weights, const std::string& name) {
    const tensor::TensorInfo& info = *weights.find(name);
    std::vector<std::byte> bytes(info.n_bytes);
    weights.read(info, 0, bytes);
    std::vector<float> values(info.n_elems);
    tensor::widen_to_f32(info.dtype, bytes, values);
    return values;
  }

  ScratchDirectory source_;
};

TEST_F(SmallModel, StoresKnownTensorsInTheFloatTypeAndOthersAsTheyAre) {
  const auto checkpoint = make({{"mtp.fc.weight", {3, 5}},
                                {"model.layers.0.self_attn.q_proj.bias", {32}},
                                {"model.layers.0.self_attn.rotary_emb.inv_freq", {4}}});
  for (const DType dtype : {DType::kBF16, DType::kF16}) {
    auto request = request_of(checkpoint, "gptq", {4, 32, true});
    request.float_dtype = dtype;
    const DirectoryLayout layout = lay_out_directory(request);
    EXPECT_EQ(layout.unknown_tensors, std::vector<std::string>{"mtp.fc.weight"});
    const Written written(request, layout);
    const auto weights = safetensors::open_model(written.path());
    expect_aligned(*weights);
    EXPECT_EQ(weights->find("model.norm.weight")->dtype, dtype);
    EXPECT_EQ(weights->find("model.embed_tokens.weight")->dtype, dtype);
    EXPECT_EQ(weights->find("model.layers.0.self_attn.q_proj.bias")->dtype, dtype);
    EXPECT_EQ(weights->find("mtp.fc.weight")->dtype, DType::kF32);
    EXPECT_EQ(weights->find("model.layers.0.self_attn.rotary_emb.inv_freq")->dtype, DType::kF32);
    EXPECT_EQ(floats(*weights, "mtp.fc.weight"), floats(*checkpoint.weights, "mtp.fc.weight"));
    EXPECT_EQ(floats(*weights, "model.norm.weight"),
              floats(*checkpoint.weights, "model.norm.weight"));
    const auto config = nlohmann::json::parse(written.text("config.json"));
    EXPECT_EQ(config["torch_dtype"], dtype == DType::kF16 ? "float16" : "bfloat16");
    EXPECT_TRUE(config["quantization_config"]["dynamic"].contains("-:.*mtp.*"));
  }
}

TEST_F(SmallModel, LeavesOutAStoredCopyOfTiedEmbeddings) {
  const auto checkpoint = make({}, true);
  ASSERT_NE(checkpoint.weights->find("lm_head.weight"), nullptr);
  const auto request = request_of(checkpoint, "gptq", {4, 32, true});
  const Written written(request, lay_out_directory(request));
  const auto weights = safetensors::open_model(written.path());
  EXPECT_EQ(weights->find("lm_head.weight"), nullptr);
  EXPECT_NE(weights->find("model.embed_tokens.weight"), nullptr);
}

TEST_F(SmallModel, AlignsEveryTensorAlsoBehindOnesOfOddSize) {
  const auto checkpoint = make();
  // Bytes, so that the size is odd, under names that sort between the others.
  const std::string odd =
      testing::counting_weights({{"a.codes", {3}}, {"model.odd", {7, 1}}}, "I8");
  source_.write("odd.safetensors", odd);
  nlohmann::json map;
  for (const auto& info : checkpoint.weights->tensors()) map[info.name] = "model.safetensors";
  map["a.codes"] = map["model.odd"] = "odd.safetensors";
  source_.write("model.safetensors.index.json",
                nlohmann::json{{"metadata", {{"total_size", 1}}}, {"weight_map", map}}.dump());
  const auto sharded = model::open_checkpoint(source_.path());
  const auto request = request_of(sharded, "compressed-tensors", {4, 32, false});
  const DirectoryLayout layout = lay_out_directory(request);
  EXPECT_EQ(layout.headers.size(), 1U);
  EXPECT_EQ(layout.unknown_tensors, (std::vector<std::string>{"a.codes", "model.odd"}));
  const Written written(request, layout);
  const auto weights = safetensors::open_model(written.path());
  expect_aligned(*weights);
  expect_modules(request, layout, *weights);
  EXPECT_EQ(weights->find("model.odd")->dtype, DType::kI8);
}

TEST_F(SmallModel, BeginsAFileWhereAGroupWouldNotBeAligned) {
  const auto checkpoint = make();
  auto request = request_of(checkpoint, "compressed-tensors", {3, 0, false});
  // Groups of 5 rows and one: their bytes are no multiple of 8.
  request.facts.modules.clear();
  request.groups.clear();
  for (const char* name : {"lm_head", "model.embed_tokens"}) {
    request.groups.push_back({request.facts.modules.size()});
    request.facts.modules.push_back(
        {name, TensorRole::kOutput, -1, 5, 32, Scheme{3, 0, false}, ""});
  }
  const DirectoryLayout layout = lay_out_directory(request);
  ASSERT_EQ(layout.headers.size(), 2U);
  EXPECT_NE(layout.groups[0].place.size % 8, 0U);
  EXPECT_NE(layout.groups[0].place.file, layout.groups[1].place.file);
  const Written written(request, layout);
  expect_aligned(*safetensors::open_model(written.path()));
}

TEST_F(SmallModel, AlignsTheTensorsInsideAGroup) {
  const auto checkpoint = make();
  auto request = request_of(checkpoint, "compressed-tensors", {3, 0, false});
  // Together the tensors of five rows are 90 bytes: behind them nothing would be aligned.
  request.facts.modules = {
      {"lm_head", TensorRole::kOutput, -1, 5, 32, Scheme{3, 0, false}, ""},
      {"model.embed_tokens", TensorRole::kOutput, -1, 5, 32, Scheme{3, 0, false}, ""}};
  request.groups = {{0, 1}};
  const DirectoryLayout layout = lay_out_directory(request);
  EXPECT_EQ(layout.groups[0].place.size, 180U);
  const Written written(request, layout);
  const auto weights = safetensors::open_model(written.path());
  expect_aligned(*weights);
  expect_modules(request, layout, *weights);
}

TEST_F(SmallModel, IsRefusedWhereItsValuesCannotBeStored) {
  const auto with_value = [&](float value) {
    const auto first = make();
    const tensor::TensorInfo info = *first.weights->find("model.norm.weight");
    std::string file = read_file(source_.path() / "model.safetensors");
    std::memcpy(file.data() + info.offset + 4 * 3, &value, sizeof value);
    source_.write("model.safetensors", file);
    return model::open_checkpoint(source_.path());
  };
  const auto copy = [](const model::Checkpoint& checkpoint, DType dtype) {
    auto request = request_of(checkpoint, "gptq", {4, 32, true});
    request.float_dtype = dtype;
    const DirectoryLayout layout = lay_out_directory(request);
    for (const CopiedPiece& piece : layout.pieces) copied_bytes(checkpoint, piece);
  };
  auto checkpoint = with_value(70000);
  copy(checkpoint, DType::kBF16);
  auto large = error_of<base::UnsupportedError>([&] { copy(checkpoint, DType::kF16); });
  EXPECT_STREQ(large.what(), "cannot store model.norm.weight as float16");
  EXPECT_EQ(large.why(), "its element 3 is 70000, beyond the largest number of that type");
  EXPECT_EQ(large.fix(), "choose --dtype bf16");
  checkpoint = with_value(3.4e38F);
  large = error_of<base::UnsupportedError>([&] { copy(checkpoint, DType::kBF16); });
  EXPECT_STREQ(large.what(), "cannot store model.norm.weight as bfloat16");
  EXPECT_EQ(large.fix(), "the model is damaged: fetch it again, or ask its makers");
  checkpoint = with_value(std::numeric_limits<float>::quiet_NaN());
  const auto nan = error_of<base::ValidationError>([&] { copy(checkpoint, DType::kBF16); });
  EXPECT_STREQ(nan.what(), "cannot copy model.norm.weight");
  EXPECT_EQ(nan.why(), "its element 3 is not a number");
  checkpoint = with_value(std::numeric_limits<float>::infinity());
  const auto infinite = error_of<base::ValidationError>([&] { copy(checkpoint, DType::kBF16); });
  EXPECT_EQ(infinite.why(), "its element 3 is infinite, or beyond float32");
}

TEST_F(SmallModel, CopiesLargeTensorsInPieces) {
  // One unknown tensor of 65 MiB.
  const std::int64_t rows = 65 * 1024;
  const auto checkpoint = make({{"tower.weight", {rows, 256}}});
  const auto request = request_of(checkpoint, "gptq", {4, 32, true});
  const DirectoryLayout layout = lay_out_directory(request);
  std::vector<CopiedPiece> pieces;
  std::ranges::copy_if(layout.pieces, std::back_inserter(pieces), [](const CopiedPiece& piece) {
    return piece.source->name == "tower.weight";
  });
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0].place.size, std::uint64_t{64} << 20);
  EXPECT_EQ(pieces[1].place.size, std::uint64_t{1} << 20);
  EXPECT_EQ(pieces[1].place.offset, pieces[0].place.offset + pieces[0].place.size);
  const std::vector<std::byte> last = copied_bytes(checkpoint, pieces[1]);
  float value = 0;
  std::memcpy(&value, last.data(), sizeof value);
  EXPECT_EQ(value, static_cast<float>(std::uint64_t{64} << 18));
}

TEST(CompanionFiles, AreTokenizerCodeAndLicencesButNoWeightsOrRecords) {
  const ScratchDirectory scratch;
  std::filesystem::create_directories(scratch.path() / "additional_chat_templates");
  std::filesystem::create_directories(scratch.path() / "original");
  const std::vector<std::string> wanted = {"LICENSE.txt",
                                           "NOTICE",
                                           "additional_chat_templates/rag.jinja",
                                           "chat_template.jinja",
                                           "generation_config.json",
                                           "modeling_x.py",
                                           "tokenizer.json"};
  for (const std::string& name : wanted) scratch.write(name, "x");
  for (const char* name :
       {"config.json", "README.md", "pytorch_model.bin", "model.gguf", "model.safetensors",
        "model.safetensors.index.json", "original/tokenizer.model", "lq-manifest.json", "x.lq-lock",
        "quantize_config.json", "additional_chat_templates/notes.txt", ".hidden.py"}) {
    scratch.write(name, "x");
  }
  std::vector<std::string> found;
  for (const auto& path : copied_companions(scratch.path())) found.push_back(path.string());
  std::ranges::sort(found);
  EXPECT_EQ(found, wanted);
  const auto error =
      error_of<base::ValidationError>([&] { copied_companions(scratch.path() / "not there"); });
  EXPECT_EQ(error.why(), "No such file or directory");
  EXPECT_EQ(error.fix(), "make the model directory readable");
}

}  // namespace
}  // namespace lq::hf

// What is found of a damaged GGUF, and what cannot be.

#include <gtest/gtest.h>

#include "common/codec/codec.h"
#include "common/codec/q4_k.h"
#include "common/gguf/reader.h"
#include "tests/soundness/damage.h"
#include "tests/subject/gguf_files.h"

namespace lq::testing {
namespace {

using codec::QuantType;
using std::filesystem::path;

/// A model whose matrices of layer 0 are Q4_K, those of layer 1 Q6_K, those of layer 2 Q8_0.
const GgufFile& quantized_file() {
  static const GgufFile file = [] {
    RandomGguf random("LlamaForCausalLM", {{"hidden_size", 256}, {"intermediate_size", 512}});
    constexpr std::array kTypes = {QuantType::kQ4K, QuantType::kQ6K, QuantType::kQ8_0};
    for (FileTensor& tensor : random.file.tensors) {
      if (!tensor.spec.name.starts_with("blk.") || tensor.spec.dims.size() != 2) continue;
      const codec::Codec& codec =
          codec::codec(kTypes[static_cast<std::size_t>(tensor.spec.name[4] - '0')]);
      const std::string floats = tensor.bytes;
      tensor.spec.type = codec.type;
      tensor.bytes.assign(tensor.spec.n_bytes(), '\0');
      codec.encode({reinterpret_cast<const float*>(floats.data()),
                    static_cast<std::int64_t>(tensor.spec.dims[1]),
                    static_cast<std::int64_t>(tensor.spec.dims[0]), nullptr},
                   reinterpret_cast<std::byte*>(tensor.bytes.data()));
    }
    random.file.metadata.set("general.quantization_version", std::uint32_t{2});
    return random.file;
  }();
  return file;
}

path make(const ScratchDirectory& scratch) {
  return quantized_file().write(scratch.path() / "model.gguf");
}
void record_file(const path& file) { record(file.string() + ".lq.json", {file}); }

std::uint64_t place(const path& file, const char* tensor) {
  return gguf::Reader(file).find(tensor)->offset;
}
/// Behind the text of a key comes the type of its value, and then it.
std::uint64_t value_of(const path& file, const std::string& key) {
  return read_file(file).find(key) + key.size() + 4;
}
/// The same file made anew after a change.
template <class Change>
std::function<void(const path&)> anew(Change change) {
  return [change](const path& file) {
    GgufFile changed = quantized_file();
    change(changed);
    changed.write(file);
  };
}

void swap_tensors(const path& file) {
  const gguf::Reader reader(file);
  const gguf::TensorInfo& a = *reader.find("blk.0.ffn_gate.weight");
  const gguf::TensorInfo& b = *reader.find("blk.0.ffn_up.weight");
  edit_file(file, [&](std::string& bytes) {
    std::swap_ranges(bytes.begin() + static_cast<std::ptrdiff_t>(a.offset),
                     bytes.begin() + static_cast<std::ptrdiff_t>(a.offset + a.n_bytes),
                     bytes.begin() + static_cast<std::ptrdiff_t>(b.offset));
  });
}

void of_another_architecture(GgufFile& file) {
  gguf::Metadata renamed;
  for (const auto& [key, value] : file.metadata.entries()) {
    renamed.set(key.starts_with("llama.") ? "later." + key.substr(6) : key, value);
  }
  renamed.set("general.architecture", std::string("later"));
  file.metadata = renamed;
}

constexpr const char* kQ4K = "blk.0.ffn_up.weight";
constexpr const char* kQ8 = "blk.2.ffn_up.weight";

std::vector<Damage> damages() {
  return {
      {"magic", [](const path& f) { flip(f, 0); }, "container", "does not start with"},
      {"unknown version", [](const path& f) { poke(f, 4, 9U); }, "container", "version 9"},
      {"impossible tensor count", [](const path& f) { poke(f, 8, std::uint64_t{1} << 62); },
       "container", "tensor count"},
      {"negative tensor count", [](const path& f) { poke(f, 8, std::int64_t{-1}); }, "container",
       "tensor count"},
      {"impossible metadata count", [](const path& f) { poke(f, 16, std::uint64_t{1} << 62); },
       "container", "metadata count"},
      {"name of a key",
       [](const path& f) { replace_text(f, "llama.block_count", "llama.blOck_count"); }, "metadata",
       "a key is missing"},
      {"layers too many", [](const path& f) { poke(f, value_of(f, "llama.block_count"), 4U); },
       "tensors", "a tensor is missing"},
      {"layers too few", [](const path& f) { poke(f, value_of(f, "llama.block_count"), 2U); },
       "tensors", "none that models of this kind have"},
      {"width", [](const path& f) { poke(f, value_of(f, "llama.embedding_length"), 512U); },
       "metadata", "contradicts the tensors"},
      {"key-value heads",
       [](const path& f) { poke(f, value_of(f, "llama.attention.head_count_kv"), 1U); }, "tensors",
       "other dimensions"},
      {"rotated dimensions",
       [](const path& f) { poke(f, value_of(f, "llama.rope.dimension_count"), 65U); }, "metadata",
       "contradicts the tensors"},
      {"name of the architecture",
       [](const path& f) { poke(f, value_of(f, "general.architecture") + 8, 'x'); }, "metadata",
       "a key is missing"},
      {"heads that do not divide",
       [](const path& f) { poke(f, value_of(f, "llama.attention.head_count"), 3U); }, "metadata",
       "heads"},
      {"rope base, another possible one",
       [](const path& f) { poke(f, value_of(f, "llama.rope.freq_base"), 500000.0F); }, "", "", 0},
      {"name of a tensor", [](const path& f) { replace_text(f, "blk.1.ffn_up", "blk.1.ffn_uq"); },
       "tensors", "a tensor is missing"},
      {"unknown type",
       [](const path& f) { poke(f, read_file(f).find(kQ8) + std::strlen(kQ8) + 4 + 16, 99U); },
       "container", "unknown type 99"},
      {"another type",
       [](const path& f) { poke(f, read_file(f).find(kQ8) + std::strlen(kQ8) + 4 + 16, 2U); },
       "scales", "not finite"},
      {"offset",
       [](const path& f) { flip(f, read_file(f).find(kQ8) + std::strlen(kQ8) + 4 + 16 + 4); },
       "container", "starts at"},
      {"truncated by a byte",
       [](const path& f) {
         edit_file(f, [](std::string& bytes) { bytes.resize(bytes.size() - 40); });
       },
       "container", "truncated"},
      {"truncated in the header",
       [](const path& f) { edit_file(f, [](std::string& bytes) { bytes.resize(100); }); },
       "container", ""},
      {"empty", [](const path& f) { overwrite(f, ""); }, "container", "truncated"},
      {"scale NaN", [](const path& f) { poke(f, place(f, kQ4K), std::uint16_t{0x7E00}); }, "scales",
       "not finite"},
      {"minimum infinite",
       [](const path& f) {
         poke(f, place(f, kQ4K) + offsetof(codec::BlockQ4K, dmin), std::uint16_t{0x7C00});
       },
       "scales", "not finite"},
      {"scale zero", [](const path& f) { poke(f, place(f, kQ8), std::uint16_t{0}); }, "scales",
       "scales are zero"},
      {"exponent of a scale", [](const path& f) { flip(f, place(f, kQ8) + 1, 0x40); }, "scales",
       "far above all others"},
      {"digits of a scale", [](const path& f) { flip(f, place(f, kQ8), 0x0F); }, "", "", 0},
      {"code", [](const path& f) { flip(f, place(f, kQ8) + 10); }, "", "", 0},
      {"tensors of one shape swapped", swap_tensors, "", "", 0},
      {"norm NaN", [](const path& f) { poke(f, place(f, "blk.0.attn_norm.weight"), 0x7FC00000U); },
       "values", "not finite"},
      {"exponent of a norm",
       [](const path& f) { flip(f, place(f, "blk.0.attn_norm.weight") + 3, 0x20); }, "", "", 0},
      {"norm too large", [](const path& f) { poke(f, place(f, "output_norm.weight"), 1e20F); },
       "values", "far above all others"},
      {"no tokens", anew([](GgufFile& f) { f.remove_key("tokenizer.ggml.tokens"); }), "tokenizer",
       "tokenizer.ggml.tokens"},
      {"no tokenizer", anew([](GgufFile& f) { f.remove_key("tokenizer.ggml.model"); }), "tokenizer",
       "there is no tokenizer"},
      {"tokenizer of another model", anew([](GgufFile& f) {
         auto tokens = *f.metadata.get<std::vector<std::string>>("tokenizer.ggml.tokens");
         auto types = *f.metadata.get<std::vector<std::int32_t>>("tokenizer.ggml.token_type");
         tokens.emplace_back("another");
         types.push_back(1);
         f.metadata.set("tokenizer.ggml.tokens", tokens);
         f.metadata.set("tokenizer.ggml.token_type", types);
       }),
       "tokenizer", "not that of the model"},
      {"text of a token", anew([](GgufFile& f) {
         auto tokens = *f.metadata.get<std::vector<std::string>>("tokenizer.ggml.tokens");
         tokens[400] += "x";
         f.metadata.set("tokenizer.ggml.tokens", tokens);
       }),
       "tokenizer", "not in the vocabulary"},
      {"the same token twice", anew([](GgufFile& f) {
         auto tokens = *f.metadata.get<std::vector<std::string>>("tokenizer.ggml.tokens");
         tokens[401] = tokens[400];
         f.metadata.set("tokenizer.ggml.tokens", tokens);
       }),
       "tokenizer", "tokens appear twice"},
      {"type of a token", anew([](GgufFile& f) {
         auto types = *f.metadata.get<std::vector<std::int32_t>>("tokenizer.ggml.token_type");
         types[3] = 77;
         f.metadata.set("tokenizer.ggml.token_type", types);
       }),
       "tokenizer", "unknown type 77"},
      {"special token outside", anew([](GgufFile& f) {
         f.metadata.set("tokenizer.ggml.padding_token_id", std::uint32_t{2048});
       }),
       "tokenizer", "none of the vocabulary"},
      {"missing tensor", anew([](GgufFile& f) { f.remove_tensor("blk.1.attn_k.weight"); }),
       "tensors", "a tensor is missing"},
      {"tensor that is none of the model's",
       anew([](GgufFile& f) { f.add("blk.0.extra.weight", std::vector<float>(32, 1), {32}); }),
       "tensors", "none that models of this kind have"},
      {"quantized norm",
       anew([](GgufFile& f) { f.replace("blk.0.attn_norm.weight", {256}, QuantType::kQ8_0); }),
       "tensors", "a vector is quantized"},
      {"tokenizer of a kind that is not known",
       anew([](GgufFile& f) { f.metadata.set("tokenizer.ggml.model", std::string("t5")); }), "", "",
       11},
      {"tokenizer of no kind at all",
       anew([](GgufFile& f) { f.metadata.set("tokenizer.ggml.model", std::string("gpt3")); }),
       "tokenizer", "of an unknown kind"},
      {"sound, of an unknown architecture", anew(of_another_architecture), "", "", 11},
      {"of an unknown architecture, and damaged", anew([](GgufFile& f) {
         of_another_architecture(f);
         f.remove_key("tokenizer.ggml.tokens");
       }),
       "tokenizer", "tokenizer.ggml.tokens"},
  };
}

TEST(GgufDamage, IsFoundAsWhatItIs) { run_damages(damages(), make, record_file); }

TEST(GgufDamage, HidesNoOtherOne) {
  const ScratchDirectory scratch;
  const path file = make(scratch);
  record_file(file);
  poke(file, place(file, kQ4K), std::uint16_t{0x7E00});
  poke(file, place(file, "output_norm.weight"), 0x7FC00000U);
  poke(file, value_of(file, "llama.block_count"), 4U);
  const std::string text = judged(file).text;
  for (const char* check : {"scales", "values", "tensors", "manifest"}) {
    EXPECT_NE(text.find(fmt::format("fault {} [", check)), std::string::npos) << check << text;
  }
}

TEST(GgufDamage, IsToldOncePerKindWithTheNumberOfTensors) {
  const ScratchDirectory scratch;
  const path file = make(scratch);
  poke(file, value_of(file, "llama.block_count"), 4U);  // the nine tensors of a layer
  const std::string text = judged(file).text;
  EXPECT_NE(text.find("; and so in 5 more"), std::string::npos) << text;
}

TEST(GgufVerdicts, SayWhyItDoesNotLoad) {
  const ScratchDirectory scratch;
  const path file = make(scratch);
  const auto verdict = [&] { return soundness::check(file, {}).runtimes.back(); };
  EXPECT_TRUE(verdict().loads);
  EXPECT_EQ(verdict().name, "llama.cpp");
  poke(file, value_of(file, "llama.block_count"), 4U);
  EXPECT_FALSE(verdict().loads);
  EXPECT_EQ(verdict().why, "a tensor is missing");
}

}  // namespace
}  // namespace lq::testing

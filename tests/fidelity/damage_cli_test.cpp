// Results that are not the reference, and what is said of them. Every header, shape and type is
// right: nothing but a comparison can tell.

#include <nlohmann/json.hpp>

#include "common/codec/codec.h"
#include "common/model/gguf_rows.h"
#include "common/tensor/convert.h"
#include "tests/fidelity/results.h"
#include "tests/fidelity/stored_bytes.h"

namespace lq::testing {
namespace {

constexpr std::size_t kHidden = 256, kHeads = 8, kKvHeads = 4, kHeadDim = 32;

std::string layer(int number, const std::string& module) {
  return "model.layers." + std::to_string(number) + "." + module;
}
std::string block(int number, const std::string& tensor) {
  return "blk." + std::to_string(number) + "." + tensor + ".weight";
}

void reverse_nibbles(Bytes& bytes) {
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(byte << 4 | byte >> 4);
}
/// 0x77, of zero points 8 as GPTQ v1 stores them, becomes 0x88, as v2 does.
void next_zeros(Bytes& bytes) {
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(byte + 0x11);
}
void double_halves(Bytes& bytes) {
  for (std::size_t i = 0; i < bytes.size() / 2; ++i) {
    const float value = tensor::f16_to_f32(element<std::uint16_t>(bytes, i));
    set_element(bytes, i, tensor::f32_to_f16(2 * value));
  }
}
/// Of codes of 4 bits along the columns: the rows of a word in AutoAWQ's order.
void mix_words(Bytes& bytes) {
  constexpr std::array<unsigned, 8> kOrder = {0, 2, 4, 6, 1, 3, 5, 7};
  for (std::size_t i = 0; i < bytes.size() / 4; ++i) {
    const auto word = element<std::uint32_t>(bytes, i);
    std::uint32_t mixed = 0;
    for (unsigned k = 0; k < 8; ++k) mixed |= (word >> (4 * kOrder[k]) & 15U) << (4 * k);
    set_element(bytes, i, mixed);
  }
}

void swap_linears(const StoredBytes& files, const std::string& a, const std::string& b) {
  for (const char* part : {".qweight", ".qzeros", ".scales"}) files.swap(a + part, b + part);
}

float bf16_at(const Bytes& bytes, std::size_t i) {
  return tensor::bf16_to_f32(element<std::uint16_t>(bytes, i));
}

/// What a damage may take from: the undamaged files of the same kind with no scales folded.
struct Case {
  const char* name;
  const char* base;    // "gptq", "awq", "Q4_0", "Q8_0" ...
  std::string tensor;  // of the finding
  std::string what;
  std::function<void(const StoredBytes& files, const StoredBytes& unscaled)> damage;
};

void move_rows(Bytes& bytes, std::size_t n_rows,
               const std::function<std::size_t(std::size_t)>& from) {
  const Bytes before = bytes;
  const std::size_t row_bytes = bytes.size() / n_rows;
  for (std::size_t row = 0; row < n_rows; ++row) {
    std::copy_n(before.begin() + static_cast<std::ptrdiff_t>(from(row) * row_bytes), row_bytes,
                bytes.begin() + static_cast<std::ptrdiff_t>(row * row_bytes));
  }
}
void unpermute(Bytes& bytes, std::size_t heads) {
  move_rows(bytes, heads * kHeadDim, [&](std::size_t row) {
    return model::gguf_row(row, heads * kHeadDim, static_cast<int>(heads));
  });
}
void permute(Bytes& bytes, std::size_t heads) {
  move_rows(bytes, heads * kHeadDim, [&](std::size_t row) {
    return model::checkpoint_row(row, heads * kHeadDim, static_cast<int>(heads));
  });
}

/// Blocks of a GGUF type as values, changed, and back.
void change_values(Bytes& bytes, codec::QuantType type,
                   const std::function<void(std::vector<float>&)>& change) {
  const codec::Codec& codec = codec::codec(type);
  std::vector<float> values(bytes.size() / codec.block_bytes * codec.block_elems);
  codec.decode(reinterpret_cast<const std::byte*>(bytes.data()), values.data(), values.size());
  change(values);
  const auto n_rows = static_cast<std::int64_t>(values.size() / kHidden);
  codec.encode({values.data(), n_rows, kHidden, nullptr},
               reinterpret_cast<std::byte*>(bytes.data()));
}
void transpose(std::vector<float>& values) {
  for (std::size_t i = 0; i < kHidden; ++i) {
    for (std::size_t j = 0; j < i; ++j) std::swap(values[i * kHidden + j], values[j * kHidden + i]);
  }
}
void exchange_halves_of_q4_0(Bytes& bytes, std::size_t block_bytes, std::size_t first) {
  for (std::size_t at = 0; at < bytes.size(); at += block_bytes) {
    for (std::size_t i = first; i < block_bytes; ++i) {
      bytes[at + i] = static_cast<std::uint8_t>(bytes[at + i] << 4 | bytes[at + i] >> 4);
    }
  }
}
void pair_nibbles_of_q4_0(Bytes& bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += 18) {
    std::array<std::uint8_t, 32> codes;
    for (std::size_t i = 0; i < 16; ++i) {
      codes[i] = bytes[at + 2 + i] & 15U;
      codes[16 + i] = bytes[at + 2 + i] >> 4;
    }
    for (std::size_t i = 0; i < 16; ++i) {
      bytes[at + 2 + i] = static_cast<std::uint8_t>(codes[2 * i] | codes[2 * i + 1] << 4);
    }
  }
}
void double_scales_of_blocks(Bytes& bytes, std::size_t block_bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += block_bytes) {
    std::uint16_t half;
    std::memcpy(&half, bytes.data() + at, 2);
    half = tensor::f32_to_f16(2 * tensor::f16_to_f32(half));
    std::memcpy(bytes.data() + at, &half, 2);
  }
}

std::vector<Case> cases() {
  const std::string q = layer(2, "self_attn.q_proj"), down1 = layer(1, "mlp.down_proj"),
                    down4 = layer(4, "mlp.down_proj");
  const std::string norm = layer(2, "input_layernorm.weight");
  return {
      {"NibbleOrder", "gptq", q + ".weight", "the codes of each byte are in reverse order",
       [q](auto& files, auto&) { files.change(q + ".qweight", reverse_nibbles); }},
      {"WordOrder", "gptq", q + ".weight",
       "the codes of each word are not in the order of the format",
       [q](auto& files, auto&) { files.change(q + ".qweight", mix_words); }},
      {"NibbleOrderAt2Bits", "gptq2", q + ".weight", "the codes of each byte are in reverse order",
       [q](auto& files, auto&) {
         files.change(q + ".qweight", [](Bytes& bytes) {
           reverse_nibbles(bytes);
           for (std::uint8_t& byte : bytes) {
             byte = static_cast<std::uint8_t>((byte & 0x33U) << 2 | (byte & 0xCCU) >> 2);
           }
         });
       }},
      {"ZeroPointsOffByOne", "gptq", q + ".weight", "its zero points are off by one",
       [q](auto& files, auto&) { files.change(q + ".qzeros", next_zeros); }},
      {"ZeroPointsOffByOneAt2Bits", "gptq2", q + ".weight", "its zero points are off by one",
       [q](auto& files, auto&) {
         // 2 stored as 1 becomes 3 stored as 2.
         files.change(q + ".qzeros", [](Bytes& bytes) { std::ranges::fill(bytes, 0xAA); });
       }},
      {"DoubledScales", "gptq", down1 + ".weight", "its scales are doubled",
       [down1](auto& files, auto&) { files.change(down1 + ".scales", double_halves); }},
      {"OfAnotherLayer", "gptq", down1 + ".weight", "it is " + down4 + ".weight of the reference",
       [down1, down4](auto& files, auto&) { swap_linears(files, down1, down4); }},
      {"KeysAsValues", "gptq", layer(5, "self_attn.k_proj.weight"),
       "it is " + layer(5, "self_attn.v_proj.weight") + " of the reference",
       [](auto& files, auto&) {
         swap_linears(files, layer(5, "self_attn.k_proj"), layer(5, "self_attn.v_proj"));
       }},
      {"NormOfAnotherLayer", "gptq", norm,
       "it is " + layer(5, "input_layernorm.weight") + " of the reference",
       [norm](auto& files, auto&) {
         files.set(norm, files.get(layer(5, "input_layernorm.weight")));
       }},
      {"NormOfAnotherLayerAmongScales", "awq", norm,
       "it is " + layer(5, "input_layernorm.weight") + " of the reference",
       [norm](auto& files, auto& unscaled) {
         files.set(norm, unscaled.get(layer(5, "input_layernorm.weight")));
       }},
      {"ChannelOfANorm", "gptq", norm, "it is not the tensor of the reference",
       [norm](auto& files, auto&) { files.change(norm, [](Bytes& bytes) { bytes[41] ^= 1U; }); }},
      {"ChannelOfAScaledNorm", "awq", norm, "it is not the tensor of the reference",
       [norm](auto& files, auto&) { files.change(norm, [](Bytes& bytes) { bytes[41] ^= 1U; }); }},
      {"Embedding", "gptq", "model.embed_tokens.weight", "it is not the tensor of the reference",
       [](auto& files, auto&) {
         files.change("model.embed_tokens.weight", [](Bytes& bytes) { bytes[5001] ^= 0x40U; });
       }},
      {"NormDividedTwice", "awq", norm,
       "it is not the reference's, nor divided by scales that were folded into it",
       [norm](auto& files, auto& unscaled) {
         const Bytes original = unscaled.get(norm);
         files.change(norm, [&](Bytes& bytes) {
           for (std::size_t i = 0; i < kHidden; ++i) {
             const float once = bf16_at(bytes, i);
             set_element(bytes, i, tensor::f32_to_bf16(once * once / bf16_at(original, i)));
           }
         });
       }},
      {"NormNotDivided", "awq", norm,
       "the columns that read it are multiplied by scales that it is not divided by",
       [norm](auto& files, auto& unscaled) { files.set(norm, unscaled.get(norm)); }},
      {"ReadersNotMultiplied", "awq", norm,
       "it is not the reference's, nor divided by scales that were folded into it",
       [](auto& files, auto& unscaled) {
         for (const char* module : {"q_proj", "k_proj", "v_proj"}) {
           for (const char* part : {".qweight", ".qzeros", ".scales"}) {
             const std::string name = layer(2, "self_attn.") + module + part;
             files.set(name, unscaled.get(name));
           }
         }
       }},
      {"RowsNotDivided", "awq", layer(2, "mlp.up_proj.weight"),
       "the columns that read it are multiplied by scales that its rows are not divided by",
       [](auto& files, auto& unscaled) {
         // Its columns are then not multiplied either, and the norm says so too.
         for (const char* part : {".qweight", ".qzeros", ".scales"}) {
           const std::string name = layer(2, "mlp.up_proj") + part;
           files.set(name, unscaled.get(name));
         }
         files.set(layer(2, "post_attention_layernorm.weight"),
                   unscaled.get(layer(2, "post_attention_layernorm.weight")));
       }},
      {"ColumnsNotMultiplied", "awq", layer(2, "mlp.up_proj.weight"),
       "its rows are divided by scales that the columns that read them are not multiplied by",
       [](auto& files, auto& unscaled) {
         for (const char* part : {".qweight", ".qzeros", ".scales"}) {
           const std::string name = layer(2, "mlp.down_proj") + part;
           files.set(name, unscaled.get(name));
         }
       }},
      {"Zeros", "Q8_0", block(2, "ffn_up"), "all its values are zero",
       [](auto& files, auto&) {
         files.change(block(2, "ffn_up"), [](Bytes& bytes) { std::ranges::fill(bytes, 0); });
       }},
      {"Transposed", "Q8_0", block(2, "attn_output"), "it is transposed",
       [](auto& files, auto&) {
         files.change(block(2, "attn_output"), [](Bytes& bytes) {
           change_values(bytes, codec::QuantType::kQ8_0, transpose);
         });
       }},
      {"OppositeSign", "Q8_0", block(2, "attn_output"), "its values have the opposite sign",
       [](auto& files, auto&) {
         files.change(block(2, "attn_output"), [](Bytes& bytes) {
           change_values(bytes, codec::QuantType::kQ8_0, [](std::vector<float>& values) {
             for (float& value : values) value = -value;
           });
         });
       }},
      {"HeadsNotPermuted", "Q4_K_M", block(2, "attn_q"),
       "the rows of its heads are not permuted for the runtime",
       [](auto& files, auto&) {
         files.change(block(2, "attn_q"), [](Bytes& bytes) { unpermute(bytes, kHeads); });
       }},
      {"KeyHeadsNotPermuted", "Q2_K", block(2, "attn_k"),
       "the rows of its heads are not permuted for the runtime",
       [](auto& files, auto&) {
         files.change(block(2, "attn_k"), [](Bytes& bytes) { unpermute(bytes, kKvHeads); });
       }},
      {"HeadsPermutedTwice", "Q4_K_M", block(2, "attn_q"),
       "the rows of its heads are permuted twice",
       [](auto& files, auto&) {
         files.change(block(2, "attn_q"), [](Bytes& bytes) { permute(bytes, kHeads); });
       }},
      {"HalvesOfBlocks", "Q4_0", block(0, "ffn_gate"), "the two codes of each byte are exchanged",
       [](auto& files, auto&) {
         files.change(block(0, "ffn_gate"),
                      [](Bytes& bytes) { exchange_halves_of_q4_0(bytes, 18, 2); });
       }},
      {"HalvesOfSuperBlocks", "Q4_K_M", block(0, "ffn_gate"),
       "the two codes of each byte are exchanged",
       [](auto& files, auto&) {
         files.change(block(0, "ffn_gate"),
                      [](Bytes& bytes) { exchange_halves_of_q4_0(bytes, 144, 16); });
       }},
      {"PairsInBlocks", "Q4_0", block(0, "ffn_gate"),
       "neighbours stand in a byte, where the format has halves",
       [](auto& files, auto&) { files.change(block(0, "ffn_gate"), pair_nibbles_of_q4_0); }},
      {"DoubledScalesOfBlocks", "Q4_0", block(0, "ffn_gate"), "its scales are doubled",
       [](auto& files, auto&) {
         files.change(block(0, "ffn_gate"),
                      [](Bytes& bytes) { double_scales_of_blocks(bytes, 18); });
       }},
      {"LayersOfAGguf", "Q4_0", block(0, "ffn_gate"),
       "it is " + block(4, "ffn_gate") + " of the reference",
       [](auto& files, auto&) { files.swap(block(0, "ffn_gate"), block(4, "ffn_gate")); }},
      {"NormOfAGguf", "Q4_0", block(1, "ffn_norm"),
       "it is " + block(4, "ffn_norm") + " of the reference",
       [](auto& files, auto&) {
         files.set(block(1, "ffn_norm"), files.get(block(4, "ffn_norm")));
       }},
      {"DoubledNorm", "Q4_0", block(1, "ffn_norm"), "its values are doubled",
       [](auto& files, auto&) {
         files.change(block(1, "ffn_norm"), [](Bytes& bytes) {
           for (std::size_t i = 0; i < kHidden; ++i) {
             set_element(bytes, i, 2 * element<float>(bytes, i));
           }
         });
       }},
  };
}

/// Makes what cases begin with, each once.
class Bases {
 public:
  const std::filesystem::path& at(const std::string& name) {
    std::filesystem::path& path = made_[name];
    if (path.empty()) path = make(name);
    return path;
  }

 private:
  std::filesystem::path make(const std::string& name) const {
    const std::filesystem::path output = scratch_.path() / name;
    if (name == "gptq") return made_by("lq-quant-gptq", {"--data-free"}, tiny_llama(), output);
    if (name == "gptq2") {
      return made_by("lq-quant-gptq", {"--data-free", "-b", "2"}, tiny_llama(), output);
    }
    const std::string calibration = calibration_of_the_bundled_model();
    if (name == "awq") {
      return made_by("lq-quant-awq", {"--scale", "smooth", "--calibration", calibration},
                     tiny_llama(), output);
    }
    if (name == "unscaled") {
      return made_by("lq-quant-awq", {"--scale", "none", "--calibration", calibration},
                     tiny_llama(), output);
    }
    return made_by("lq-quant-gguf", {"-t", name}, tiny_llama(), output);
  }

  const ScratchDirectory scratch_;
  std::map<std::string, std::filesystem::path> made_;
};

TEST(DamageCli, IsFoundAndNamed) {
  Bases bases;
  for (const Case& one : cases()) {
    SCOPED_TRACE(one.name);
    const ScratchDirectory scratch;
    const std::filesystem::path copy = scratch.path() / "damaged";
    std::filesystem::copy(bases.at(one.base), copy, std::filesystem::copy_options::recursive);
    const bool is_awq = std::string(one.base) == "awq";
    one.damage(StoredBytes(copy), StoredBytes(is_awq ? bases.at("unscaled") : copy));
    const Found found = found_of(tiny_llama(), copy);
    RecordProperty(one.name, found.text());  // the figures of bench/README.md
    EXPECT_TRUE(std::ranges::any_of(found.faults, [&](const base::Finding& fault) {
      return fault.tensor == one.tensor && fault.what == one.what;
    })) << found.text();
    for (const base::Finding& fault : found.faults) {
      EXPECT_FALSE(fault.why.empty());
    }
  }
}

/// The bundled model with all values in reverse order: of the same shapes, and another model.
std::filesystem::path reversed_model(const ScratchDirectory& scratch) {
  const std::filesystem::path dir = scratch.path() / "reversed";
  std::filesystem::copy(tiny_llama(), dir);
  const StoredBytes files(dir);
  std::vector<std::string> names;
  {
    const model::Checkpoint checkpoint = model::open_checkpoint(dir);
    for (const auto& tensor : checkpoint.weights->tensors()) names.push_back(tensor.name);
  }
  for (const std::string& name : names) {
    files.change(name, [](Bytes& bytes) {
      for (std::size_t i = 0, n = bytes.size() / 2; i < n / 2; ++i) {
        const auto first = element<std::uint16_t>(bytes, i);
        set_element(bytes, i, element<std::uint16_t>(bytes, n - 1 - i));
        set_element(bytes, n - 1 - i, first);
      }
    });
  }
  return dir;
}

TEST(DamageCli, AnotherModelIsOneFinding) {
  const ScratchDirectory scratch;
  const std::filesystem::path other = reversed_model(scratch);
  const auto gguf = made_by("lq-quant-gguf", {"-t", "Q4_K_M"}, other, scratch.path() / "q4.gguf");
  const auto gptq =
      made_by("lq-quant-gptq", {"--data-free", "-b", "2"}, other, scratch.path() / "gptq");
  for (const auto& result : {gguf, gptq, other}) {
    const Found found = found_of(tiny_llama(), result);
    ASSERT_EQ(found.faults.size(), 1U) << found.text();
    EXPECT_EQ(found.faults.front().what, "it is another model than the reference");
    EXPECT_TRUE(found_of(other, result).faults.empty()) << found_of(other, result).text();
  }
}

TEST(DamageCli, ACalibratedResultOfTwoBitsIsNotTakenForAnother) {
  const ScratchDirectory scratch;
  const auto result =
      made_by("lq-quant-gptq",
              {"-b", "2", "--sequential", "--calibration", calibration_of_the_bundled_model()},
              tiny_llama(), scratch.path() / "gptq");
  const StoredBytes files(result);
  swap_linears(files, layer(1, "mlp.down_proj"), layer(4, "mlp.down_proj"));
  const Found found = found_of(tiny_llama(), result);
  ASSERT_EQ(found.faults.size(), 2U) << found.text();
  EXPECT_EQ(found.faults[0].what,
            "it is " + layer(4, "mlp.down_proj.weight") + " of the reference");
  EXPECT_EQ(found.faults[1].what,
            "it is " + layer(1, "mlp.down_proj.weight") + " of the reference");
}

}  // namespace
}  // namespace lq::testing

// What is found of a damaged directory, and what cannot be.

#include <gtest/gtest.h>

#include "common/safetensors/reader.h"
#include "tests/soundness/damage.h"
#include "tests/soundness/made_model.h"

namespace lq::testing {
namespace {

using nlohmann::json;
using std::filesystem::path;

constexpr const char* kModule = "model.layers.0.self_attn.o_proj";

path weights(const path& dir) { return dir / "model.safetensors"; }
path config(const path& dir) { return dir / "config.json"; }
std::uint64_t place(const path& dir, const std::string& suffix) {
  return safetensors::Reader(weights(dir)).find(kModule + suffix)->offset;
}
std::uint64_t place_of(const path& dir, const std::string& name) {
  return safetensors::Reader(weights(dir)).find(name)->offset;
}
void record_directory(const path& dir) {
  record(dir / "lq-manifest.json", {weights(dir), config(dir), dir / "tokenizer.json"});
}

/// Made once in each format.
const MadeModel& made(const std::string& format) {
  static std::map<std::string, MadeModel> models;
  MadeModel& model = models[format];
  if (model.tensors.empty()) {
    model.format = format;
    model.scheme.symmetric = format == "gptq";
    if (format == "compressed-tensors") model.float_dtype = tensor::DType::kBF16;
    model.make();
  }
  return model;
}
std::function<path(const ScratchDirectory&)> maker(const std::string& format) {
  return [format](const ScratchDirectory& scratch) { return made(format).write(scratch); };
}
/// config.json after a change of its quantization_config.
template <class Change>
std::function<void(const path&)> declared(Change change) {
  return [change](const path& dir) {
    edit_json(config(dir), [&](json& all) { change(all["quantization_config"]); });
  };
}
/// The files made anew after a change of the tensors.
template <class Change>
std::function<void(const path&)> anew(const std::string& format, Change change) {
  return [format, change](const path& dir) {
    MadeModel model = made(format);
    change(model);
    const ScratchDirectory scratch;
    std::filesystem::copy(model.write(scratch), dir,
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing);
  };
}
/// Every word of the zero points becomes this one.
template <class Change>
void change_words(MadeModel& model, const std::string& suffix, Change change) {
  for (auto& [name, stored] : model.tensors) {
    if (!name.ends_with(suffix)) continue;
    for (std::size_t at = 0; at < stored.bytes.size(); at += 4) {
      std::uint32_t word;
      std::memcpy(&word, stored.bytes.data() + at, 4);
      word = change(word, at / 4);
      std::memcpy(stored.bytes.data() + at, &word, 4);
    }
  }
}
void swap_tensors(const path& dir) {
  const safetensors::Reader reader(weights(dir));
  const auto& a = *reader.find("model.layers.0.mlp.gate_proj.qweight");
  const auto& b = *reader.find("model.layers.0.mlp.up_proj.qweight");
  edit_file(weights(dir), [&](std::string& bytes) {
    std::swap_ranges(bytes.begin() + static_cast<std::ptrdiff_t>(a.offset),
                     bytes.begin() + static_cast<std::ptrdiff_t>(a.offset + a.n_bytes),
                     bytes.begin() + static_cast<std::ptrdiff_t>(b.offset));
  });
}
void shorten(const path& file, std::size_t n) {
  edit_file(file, [&](std::string& bytes) { bytes.resize(bytes.size() - n); });
}

std::vector<Damage> container_damages() {
  return {
      {"length of the header", [](const path& d) { flip(weights(d), 6); }, "container", ""},
      {"header", [](const path& d) { flip(weights(d), 9); }, "container", ""},
      {"extent of a shape",
       [](const path& d) {
         replace_text(weights(d), "\"shape\":[2048,256]", "\"shape\":[2040,256]");
       },
       "container", ""},
      {"name of a tensor",
       [](const path& d) { replace_text(weights(d), "o_proj.scales", "o_prpj.scales"); }, "tensors",
       "a tensor of a quantized linear is missing"},
      {"truncated", [](const path& d) { shorten(weights(d), 100); }, "container", ""},
      {"bytes too many",
       [](const path& d) { edit_file(weights(d), [](std::string& bytes) { bytes += "more"; }); },
       "container", ""},
      {"empty weights", [](const path& d) { overwrite(weights(d), ""); }, "container", ""},
      {"weights missing", [](const path& d) { std::filesystem::remove(weights(d)); }, "container",
       ""},
      {"shard missing",
       [](const path& d) {
         overwrite(d / "model.safetensors.index.json",
                   R"({"weight_map": {"model.norm.weight": "model-00001-of-00002.safetensors"}})");
       },
       "container", "", 6, false},
      {"config.json broken", [](const path& d) { shorten(config(d), 20); }, "config", ""},
      {"config.json missing", [](const path& d) { std::filesystem::remove(config(d)); }, "config",
       ""},
      {"tokenizer.json broken", [](const path& d) { shorten(d / "tokenizer.json", 200); },
       "tokenizer", ""},
      {"tokenizer missing", [](const path& d) { std::filesystem::remove(d / "tokenizer.json"); },
       "tokenizer", "there is no tokenizer"},
      {"tokenizer of a larger model",
       [](const path& d) {
         edit_json(d / "tokenizer.json", [](json& all) {
           json added = all["added_tokens"][0];
           added["id"] = 3000;
           added["content"] = "<another>";
           all["added_tokens"].push_back(added);
         });
       },
       "tokenizer", "more tokens than the model"},
      {"special token outside",
       [](const path& d) { edit_json(config(d), [](json& all) { all["eos_token_id"] = 5000; }); },
       "tokenizer", "none of the vocabulary"},
      {"layers too many",
       [](const path& d) { edit_json(config(d), [](json& all) { all["num_hidden_layers"] = 2; }); },
       "tensors", "a tensor is missing"},
      {"width",
       [](const path& d) {
         edit_json(config(d), [](json& all) { all["intermediate_size"] = 1024; });
       },
       "tensors", "another shape than config.json implies"},
      {"impossible layers",
       [](const path& d) {
         edit_json(config(d), [](json& all) { all["num_hidden_layers"] = 1'000'000'000; });
       },
       "config", ""},
      {"rotation, another possible one",
       [](const path& d) { edit_json(config(d), [](json& all) { all["rope_theta"] = 500000.0; }); },
       "", "", 0},
      {"sound, of an unknown architecture",
       [](const path& d) {
         edit_json(config(d), [](json& all) {
           all["architectures"] = {"LaterForCausalLM"};
           all["model_type"] = "later";
         });
       },
       "", "", 11},
      {"sound, of an unknown method", declared([](json& q) { q["quant_method"] = "bitsandbytes"; }),
       "", "", 11},
  };
}

std::vector<Damage> gptq_damages() {
  return {
      {"bits", declared([](json& q) { q["bits"] = 8; }), "config", "the tensors are of 4 bits"},
      {"impossible bits", declared([](json& q) { q["bits"] = 1000000; }), "config", "1000000 bits"},
      {"bits as a text", declared([](json& q) { q["bits"] = "4"; }), "config", "`bits`"},
      {"group size", declared([](json& q) { q["group_size"] = 64; }), "config",
       "the tensors are of 4 bits, groups of 128"},
      {"impossible group size", declared([](json& q) { q["group_size"] = 0; }), "config",
       "the group size"},
      {"method of another format", declared([](json& q) {
         q = {{"quant_method", "awq"}, {"bits", 4}, {"group_size", 128}, {"zero_point", true}};
       }),
       "tensors", "another shape"},
      {"method of compressed-tensors", declared([](json& q) {
         q = made("compressed-tensors").model_config["quantization_config"];
       }),
       "config", "of another format"},
      {"no quantization_config",
       [](const path& d) {
         edit_json(config(d), [](json& all) { all.erase("quantization_config"); });
       },
       "config", "config.json does not say so"},
      {"rule that is no expression", declared([](json& q) {
         q["dynamic"] = {{"-:(", json::object()}};
       }),
       "config", ""},
      {"rule that calls a quantized linear float", declared([](json& q) {
         q["dynamic"] = {{"-:.*o_proj", json::object()}};
       }),
       "config", "says that a quantized linear is float"},
      {"v2 declared of v1 zeros", declared([](json& q) { q["checkpoint_format"] = "gptq_v2"; }),
       "zero points", "stored as in gptq"},
      {"v2 zeros declared v1",
       anew("gptq",
            [](MadeModel& model) {
              change_words(model, ".qzeros", [](auto, auto) { return 0x88888888U; });
            }),
       "zero points", "stored as in gptq_v2"},
      {"one zero point", [](const path& d) { flip(weights(d), place(d, ".qzeros"), 0x03); },
       "zero points", "not those of a symmetric grid"},
      {"column in no group", [](const path& d) { poke(weights(d), place(d, ".g_idx"), 77); },
       "groups", "groups that do not exist"},
      {"column in a negative group",
       [](const path& d) { poke(weights(d), place(d, ".g_idx"), -1); }, "groups",
       "groups that do not exist"},
      {"column in another group", [](const path& d) { poke(weights(d), place(d, ".g_idx"), 1); },
       "groups", "not of the declared size"},
      {"shuffled groups, desc_act false",
       [](const path& d) {
         poke(weights(d), place(d, ".g_idx"), 1);
         poke(weights(d), place(d, ".g_idx") + 4 * 200, 0);
       },
       "groups", "not grouped in order"},
      {"scale NaN",
       [](const path& d) { poke(weights(d), place(d, ".scales"), std::uint16_t{0x7E00}); },
       "scales", "not finite"},
      {"scale infinite",
       [](const path& d) { poke(weights(d), place(d, ".scales"), std::uint16_t{0xFC00}); },
       "scales", "not finite"},
      {"scale zero", [](const path& d) { poke(weights(d), place(d, ".scales"), std::uint16_t{0}); },
       "scales", "scales are zero"},
      {"exponent of a scale",
       [](const path& d) { flip(weights(d), place(d, ".scales") + 1, 0x40); }, "scales",
       "far above all others"},
      {"digits of a scale", [](const path& d) { flip(weights(d), place(d, ".scales"), 0x0F); }, "",
       "", 0},
      {"code", [](const path& d) { flip(weights(d), place(d, ".qweight")); }, "", "", 0},
      {"tensors of one shape swapped", swap_tensors, "", "", 0},
      {"norm NaN",
       [](const path& d) {
         poke(weights(d), place_of(d, "model.norm.weight"), std::uint16_t{0x7E00});
       },
       "values", "not finite"},
      {"tensor of no linear",
       anew("gptq",
            [](MadeModel& model) {
              model.tensors["model.layers.0.mlp.x_proj.scales"] = {
                  {"model.layers.0.mlp.x_proj.scales", tensor::DType::kF16, {1}}, "ab"};
            }),
       "tensors", "belongs to no linear"},
      {"scales of whole numbers",
       anew("gptq",
            [](MadeModel& model) {
              model.tensors.at(std::string(kModule) + ".scales").spec.dtype = tensor::DType::kI16;
            }),
       "tensors", "of another type"},
      {"float matrix beside the codes",
       anew("gptq",
            [](MadeModel& model) {
              const std::string name = std::string(kModule) + ".weight";
              model.tensors[name] = {{name, tensor::DType::kF16, {256, 256}},
                                     std::string(256 * 256 * 2, '\x01')};
            }),
       "tensors", "beside its quantized form"},
      {"quantize_config.json of another model",
       [](const path& d) { overwrite(d / "quantize_config.json", R"({"bits": 3})"); }, "config",
       "quantize_config.json has another `bits`", 6, false},
  };
}

std::vector<Damage> awq_damages() {
  const auto in_natural_order = [](std::uint32_t word, std::size_t) {
    constexpr std::array<unsigned, 8> kOrder = {0, 2, 4, 6, 1, 3, 5, 7};
    std::uint32_t out = 0;
    for (unsigned i = 0; i < 8; ++i) out |= ((word >> (4 * i)) & 15U) << (4 * kOrder[i]);
    return out;
  };
  const auto minus_one = [](std::uint32_t word, std::size_t) {
    std::uint32_t out = 0;
    for (unsigned shift = 0; shift < 32; shift += 4) {
      const std::uint32_t zero = (word >> shift) & 15U;
      out |= (zero == 0 ? zero : zero - 1) << shift;
    }
    return out;
  };
  return {
      {"impossible bits", declared([](json& q) { q["bits"] = 8; }), "config", "8 bits"},
      {"zero points that are not to be there", declared([](json& q) { q["zero_point"] = false; }),
       "zero points", "not those of a symmetric grid"},
      {"part of a name", declared([](json& q) { q["modules_to_not_convert"] = {"gate"}; }),
       "config", "looked for in parts of names"},
      {"zero points as GPTQ stores them",
       anew("awq", [=](MadeModel& model) { change_words(model, ".qzeros", minus_one); }),
       "zero points", "do not lie in the middle"},
      {"codes and zero points in natural order",
       anew("awq",
            [=](MadeModel& model) {
              change_words(model, ".qweight", in_natural_order);
              change_words(model, ".qzeros", in_natural_order);
            }),
       "codes", "packed in natural order"},
      {"zero points missing",
       anew("awq", [](MadeModel& model) { model.tensors.erase(std::string(kModule) + ".qzeros"); }),
       "tensors", "an asymmetric grid has no zero points"},
      {"sound, of another version", declared([](json& q) { q["version"] = "gemv"; }), "", "", 11},
  };
}

std::vector<Damage> packed_damages() {
  return {
      {"stated shape",
       [](const path& d) { poke(weights(d), place(d, ".weight_shape"), std::int64_t{128}); },
       "tensors", "the stated shape"},
      {"declared symmetric",
       declared([](json& q) { q["config_groups"]["group_0"]["weights"]["symmetric"] = true; }),
       "config", "zero points of a grid declared symmetric"},
      {"no groups", declared([](json& q) { q.erase("config_groups"); }), "config",
       "no config_groups"},
      {"scale NaN",
       [](const path& d) { poke(weights(d), place(d, ".weight_scale"), std::uint16_t{0x7FC0}); },
       "scales", "not finite"},
      {"sound, packed in another way", declared([](json& q) { q["format"] = "float-quantized"; }),
       "", "", 11},
  };
}

TEST(DirectoryDamage, OfAnyFormatIsFoundAsWhatItIs) {
  run_damages(container_damages(), maker("gptq"), record_directory);
}
TEST(DirectoryDamage, OfGptqIsFoundAsWhatItIs) {
  run_damages(gptq_damages(), maker("gptq"), record_directory);
}
TEST(DirectoryDamage, OfAwqIsFoundAsWhatItIs) {
  run_damages(awq_damages(), maker("awq"), record_directory);
}
TEST(DirectoryDamage, OfCompressedTensorsIsFoundAsWhatItIs) {
  run_damages(packed_damages(), maker("compressed-tensors"), record_directory);
}

TEST(Manifest, ThatIsDamagedIsAFaultAndAMissingOneIsNone) {
  const ScratchDirectory scratch;
  const path dir = made("gptq").write(scratch);
  EXPECT_EQ(judged(dir).code, 0);
  record_directory(dir);
  shorten(dir / "lq-manifest.json", 10);
  EXPECT_NE(judged(dir).text.find("lq-manifest.json is damaged"), std::string::npos);
}

TEST(Manifest, NamesAFileThatIsGone) {
  const ScratchDirectory scratch;
  const path dir = made("gptq").write(scratch);
  scratch.write("model/extra.txt", "text");
  record(dir / "lq-manifest.json", {weights(dir), dir / "extra.txt"});
  std::filesystem::remove(dir / "extra.txt");
  EXPECT_NE(judged(dir).text.find("fault manifest [extra.txt] a file of the manifest is missing"),
            std::string::npos);
}

TEST(Manifest, TellsOfInputsThatChangedSince) {
  const ScratchDirectory scratch;
  const path dir = made("gptq").write(scratch);
  record_directory(dir);
  const path input = scratch.write("input.gguf", "before");
  edit_json(dir / "lq-manifest.json", [&](json& manifest) {
    manifest["inputs"] = {
        {{"role", "imatrix"},
         {"path", input.string()},
         {"files",
          {{{"path", input.string()},
            {"size", 6},
            {"mtime_ns", 1},
            {"sha256", io::sha256_hex(std::as_bytes(std::span("before", 6)))}}}}}};
  });
  EXPECT_EQ(judged(dir).text, "");
  overwrite(input, "behind");
  EXPECT_EQ(judged(dir).code, 0);
  EXPECT_NE(judged(dir).text.find("remark manifest [input.gguf] the imatrix that it was made from "
                                  "has changed"),
            std::string::npos);
  overwrite(input, "longer than before");
  EXPECT_NE(judged(dir).text.find("18 bytes, 6 are recorded"), std::string::npos);
}

TEST(Soundness, OfWhatIsNotThereIsNoFinding) {
  const ScratchDirectory scratch;
  EXPECT_EQ(judged(scratch.path() / "missing").code, 3);
  EXPECT_EQ(judged(scratch.path()).code, 3);
}

}  // namespace
}  // namespace lq::testing

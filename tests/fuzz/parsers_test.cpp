// Every parser of bytes from outside, given damaged files: it reads them or throws one of our
// errors with all three parts; it never crashes or throws anything else. LQ_FUZZ_ROUNDS sets how
// many files each gets.

#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <ostream>

#include "common/base/errors.h"
#include "common/calibration/importance_matrix.h"
#include "common/calibration/texts.h"
#include "common/calibration/token_file.h"
#include "common/cli/recipe.h"
#include "common/gguf/layout.h"
#include "common/gguf/reader.h"
#include "common/model/gguf_model.h"
#include "common/model/implied_weights.h"
#include "common/model/model_card.h"
#include "common/stage/journal.h"
#include "common/stage/manifest.h"
#include "common/subject/subject.h"
#include "common/text/sentencepiece_model.h"
#include "common/text/tokenizer.h"
#include "tests/forward/head_input.h"
#include "tests/fuzz/damage.h"
#include "tests/model/checkpoint_files.h"
#include "tests/subject/gguf_files.h"
#include "tests/support/scratch.h"
#include "tests/text/sentencepiece_file.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;

struct Parser {
  std::string name;
  std::string file;    // the one that is damaged
  std::string intact;  // its bytes
  std::function<void(const fs::path& dir)> parse;
};

void PrintTo(const Parser& parser, std::ostream* out) { *out << parser.name; }

void convert_model(const fs::path& dir) {
  const model::Checkpoint checkpoint = model::open_checkpoint(dir);
  model::gguf_tensors(checkpoint);
  model::gguf_metadata(checkpoint, std::nullopt);
}

std::string gguf_file() {
  gguf::Metadata metadata;
  metadata.set("general.architecture", std::string("llama"));
  metadata.set("llama.block_count", std::uint32_t{2});
  metadata.set("tokenizer.ggml.tokens", std::vector<std::string>{"a", "b", "c"});
  const gguf::Layout layout = gguf::lay_out(
      metadata,
      {{"a.weight", {32, 2}, codec::QuantType::kQ8_0}, {"b", {4}, codec::QuantType::kF32}});
  std::string bytes(layout.file_bytes, '\x11');
  std::ranges::transform(layout.header, bytes.begin(),
                         [](std::byte b) { return static_cast<char>(b); });
  return bytes;
}

/// A whole model, its header longer than its weights.
std::string gguf_model(bool of_pieces) {
  json config = small_config();
  config.update({{"num_hidden_layers", 1},
                 {"hidden_size", 8},
                 {"intermediate_size", 8},
                 {"num_attention_heads", 2},
                 {"num_key_value_heads", 1}});
  const ScratchDirectory scratch;
  GgufFile file = converted(small_checkpoint(scratch, config));
  if (of_pieces) {
    file.metadata.set("tokenizer.ggml.model", std::string("llama"));
    file.metadata.set("tokenizer.ggml.scores", std::vector<float>(10, -1));
    file.metadata.set("llama.rope.scaling.type", std::string("yarn"));
    file.metadata.set("llama.rope.scaling.factor", 4.0F);
  }
  return read_file(file.write(scratch.path() / "x.gguf"));
}

void run_gguf(const fs::path& dir) {
  const auto model = subject::open_subject(dir / "x.gguf");
  all_logits(model->config(), model->weights(), {0, 0}, {{2}}, linalg::Compute::kF32);
  model->tokenizer().encode("a abc<s>\n", true);
}

std::string importance_dat() {
  const auto i32 = [](std::int32_t value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof value);
  };
  return i32(1) + i32(1) + "a" + i32(1) + i32(2) + std::string("\0\0\x80?\0\0\x80?", 8);
}

std::string journal() {
  const ScratchDirectory scratch;
  const fs::path path = scratch.path() / "journal";
  stage::JournalWriter writer(path, nlohmann::json{{"format", 1}, {"fingerprint", "f"}});
  stage::FinishedUnit unit;
  unit.size = 8;
  writer.append(std::span(&unit, 1));
  return read_file(path);
}

/// One part of each kind.
std::string tokenizer_of_many_parts() {
  return R"({"added_tokens": [{"id": 6, "content": "<s>", "special": true, "lstrip": true},
    {"id": 7, "content": "Xy", "normalized": true, "single_word": true}],
   "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"},
     {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}, {"type": "Strip"},
     {"type": "Precompiled", "precompiled_charsmap": "CAAAAAAEAABBAAAAYgA="}]},
   "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
     {"type": "Split", "pattern": {"Regex": "(?i:'s)|[^\\r\\n\\p{L}]?\\p{L}+|\\p{N}{1,3}|[a-z&&[^x]]|\\s+"},
      "behavior": "Isolated", "invert": false}, {"type": "Digits", "individual_digits": true},
     {"type": "Metaspace", "replacement": "_", "prepend_scheme": "first"}]},
   "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}},
     {"Sequence": {"id": "A"}}], "special_tokens": {"<s>": {"ids": [6]}}},
   "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": true,
     "vocab": [["<unk>", 0], ["a", -1.5], ["_", -2], ["_a", -3], ["1", -2.5], ["<0x78>", -9]]}})";
}

void tokenize(const fs::path& dir) {
  text::open_tokenizer(dir).encode("a  xy Xy<s>1234 \u00e9's \uFB01\n", true);
}

void read_texts(const fs::path& file) {
  calibration::read_texts(std::vector<std::string>{file.string()});
}

void read_tokens(const fs::path& file) { calibration::read_tokens(file, 100); }

std::vector<Parser> parsers() {
  const json config = small_config();
  const std::string index = json{{"metadata", {{"total_size", 100}}},
                                 {"weight_map", {{"model.norm.weight", "model.safetensors"}}}}
                                .dump();
  const std::string spm =
      model_kind(2) + dummy_prefix(true) + piece("<unk>", 0, 2) + piece("a", -1, 1);
  const std::string manifest =
      json{{"schema", "lq-manifest/1"},
           {"tool", "lq-quant-gguf"},
           {"version", "1"},
           {"fingerprint", "f"},
           {"time", "2026-01-01T00:00:00Z"},
           {"inputs", {{{"role", "model"}, {"path", "m"}, {"files", json::array()}}}},
           {"outputs", {{{"path", "x"}, {"size", 1}, {"mtime_ns", 1}, {"sha256", "0"}}}}}
          .dump();
  return {
      {"config", "config.json", config.dump(), convert_model},
      {"safetensors", "model.safetensors", counting_weights(small_shapes(config)), convert_model},
      {"index", "model.safetensors.index.json", index, convert_model},
      {"tokenizer", "tokenizer.json", small_tokenizer().dump(), convert_model},
      {"tokenizer_config", "tokenizer_config.json",
       R"({"bos_token": {"content": "<s>"}, "eos_token": "a", "chat_template": "{{ x }}",
           "add_bos_token": true})",
       convert_model},
      {"generation_config", "generation_config.json", R"({"eos_token_id": [1, 2], "top_p": 0.9})",
       convert_model},
      {"model_card", "README.md", "---\nlicense: mit\nbase_model: [a/b]\ntags:\n- x\n---\ntext\n",
       [](const fs::path& dir) { model::read_model_card(dir); }},
      {"sentencepiece", "tokenizer.model", spm,
       [](const fs::path& dir) { text::parse_sentencepiece(read_file(dir / "tokenizer.model")); }},
      {"bpe_of_tokenizer", "tokenizer.json", small_tokenizer().dump(), tokenize},
      {"parts_of_tokenizer", "tokenizer.json", tokenizer_of_many_parts(), tokenize},
      {"sentencepiece_alone", "only/tokenizer.model", spm,
       [](const fs::path& dir) { tokenize(dir / "only"); }},
      {"gguf", "x.gguf", gguf_file(),
       [](const fs::path& dir) { gguf::Reader reader(dir / "x.gguf"); }},
      {"model_in_gguf", "x.gguf", gguf_model(false), run_gguf},
      {"model_in_gguf_with_pieces", "x.gguf", gguf_model(true), run_gguf},
      {"imatrix_gguf", "i.gguf", read_file(fs::path(LQ_TEST_DATA) / "tiny-llama.imatrix.gguf"),
       [](const fs::path& dir) { calibration::read_importance(dir / "i.gguf"); }},
      {"imatrix_dat", "i.dat", importance_dat(),
       [](const fs::path& dir) { calibration::read_importance(dir / "i.dat"); }},
      {"texts_of_json", "t.json", R"({"id": [1], "text": ["one", "tw\u00f6 \ud83d\ude00", "3"]})",
       [](const fs::path& dir) { read_texts(dir / "t.json"); }},
      {"texts_of_json_lines", "t.jsonl",
       "{\"text\": \"one\", \"n\": 1}\n\"two\"\n{\"text\": [\"three\"]}\n",
       [](const fs::path& dir) { read_texts(dir / "t.jsonl"); }},
      {"texts_of_any_kind", "t", "[\n\"one\",\n\"two\"\n]\n",
       [](const fs::path& dir) { read_texts(dir / "t"); }},
      {"plain_text", "t.txt", "Na\u00efve \U0001F600 text.\n",
       [](const fs::path& dir) { read_texts(dir / "t.txt"); }},
      {"tokens", "t.safetensors", calibration::serialize_tokens({{1, 2, 3, 4}, {0, 3, 4}}),
       [](const fs::path& dir) { read_tokens(dir / "t.safetensors"); }},
      {"tokens_of_json", "t.json", "[[1, 15, 7], [99, 2]]",
       [](const fs::path& dir) { read_tokens(dir / "t.json"); }},
      {"journal", "j", journal(), [](const fs::path& dir) { stage::read_journal(dir / "j"); }},
      {"manifest", "m.json", manifest,
       [](const fs::path& dir) {
         if (const auto found = stage::read_manifest(dir / "m.json"))
           stage::recorded_outputs(*found);
       }},
      {"recipe", "r.yaml",
       "common:\n  threads: 2\nlq-quant-gguf:\n  type: [Q4_K_M, Q8_0]\n  pure: true\n",
       [](const fs::path& dir) {
         cli::read_recipe(dir / "r.yaml", "lq-quant-gguf", {}, {"threads"});
       }},
  };
}

class Parsers : public ::testing::TestWithParam<Parser> {};

TEST_P(Parsers, ReadDamagedFilesOrSayWhatIsWrong) {
  const Parser& parser = GetParam();
  const ScratchDirectory scratch;
  write_model(scratch, small_config(), small_shapes(small_config()));
  const char* rounds = std::getenv("LQ_FUZZ_ROUNDS");
  for (int round = 0; round < (rounds == nullptr ? 200 : std::atoi(rounds)); ++round) {
    std::mt19937_64 random(static_cast<std::uint64_t>(round));
    scratch.write(parser.file, round == 0 ? parser.intact : damaged(parser.intact, random));
    try {
      parser.parse(scratch.path());
    } catch (const base::QuantizationError& error) {
      const std::string what = error.what();
      EXPECT_FALSE(what.empty() || error.why().empty() || error.fix().empty()) << round;
      EXPECT_EQ((what + error.why() + error.fix()).find('\x1b'), std::string::npos) << round;
    } catch (const std::exception& error) {
      FAIL() << "round " << round << ": " << error.what();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(OutsideBytes, Parsers, ::testing::ValuesIn(parsers()),
                         [](const auto& made) { return made.param.name; });

}  // namespace
}  // namespace lq::testing

// The importance matrix against llama.cpp's own on the same windows, and in llama.cpp's quantizer.

#include <cmath>
#include <gtest/gtest.h>
#include <map>

#include "common/gguf/reader.h"
#include "common/io/digest.h"
#include "tests/forward/model_cases.h"
#include "tests/peers/quantized.h"
#include "tests/support/llama_peer.h"

namespace lq::testing {
namespace {

using nlohmann::json;

constexpr int kWindow = 128;

/// Four windows of ids, a text of three in a row and random ones.
json some_windows() {
  const json golden = golden_json("logits.json").front()["ids"];
  const auto random = random_ids(3 * kWindow);
  json windows = {golden};
  windows[0].get_ref<json::array_t&>().resize(std::min<std::size_t>(golden.size(), kWindow));
  for (std::size_t i = 0; i < random.size(); ++i) {
    if (i % kWindow == 0) windows.push_back(json::array());
    windows.back().push_back(random[i]);
  }
  return windows;
}

/// All tensors of a GGUF file in float32, by name.
std::map<std::string, std::vector<float>> tensors_of(const std::filesystem::path& path) {
  const gguf::Reader file(path);
  std::map<std::string, std::vector<float>> tensors;
  for (const gguf::TensorInfo& tensor : file.tensors()) {
    std::vector<float>& values = tensors[tensor.name];
    values.resize(tensor.n_elems);
    file.read(tensor, 0, std::as_writable_bytes(std::span(values)));
  }
  return tensors;
}

std::string hash_of(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  return io::sha256_hex(std::as_bytes(std::span(bytes)));
}

/// Runs lq-calibrate on the windows; the importance matrix is where `imatrix` says.
void calibrate(const std::filesystem::path& model, const std::string& windows,
               const std::filesystem::path& imatrix, const ScratchDirectory& scratch,
               std::vector<std::string> options = {"--compute", "f32"}) {
  Command command{{tool("lq-calibrate"), model.string(), "-qq", "--tokens", windows, "--stats",
                   "diag", "-o", scratch.path() / "calib", "--imatrix", imatrix.string()},
                  {},
                  {}};
  command.arguments.insert(command.arguments.end(), options.begin(), options.end());
  const Outcome outcome = run(command);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

/// Every entry of every tensor, the counts and the names. `bound` is relative; returns the largest
/// deviation.
double expect_same_importance(const std::filesystem::path& ours,
                              const std::filesystem::path& theirs, double bound) {
  const auto our_tensors = tensors_of(ours), their_tensors = tensors_of(theirs);
  EXPECT_EQ(our_tensors.size(), their_tensors.size());
  double largest = 0;
  for (const auto& [name, wanted] : their_tensors) {
    const auto found = our_tensors.find(name);
    if (found == our_tensors.end() || found->second.size() != wanted.size()) {
      ADD_FAILURE() << name << " is missing or has another size";
      continue;
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const double is = found->second[i], should = wanted[i];
      const double deviation = std::abs(is - should) / std::max(std::abs(should), 1e-12);
      largest = std::max(largest, deviation);
      EXPECT_LE(deviation, name.ends_with(".counts") ? 0 : bound)
          << name << " " << i << ": " << is << " instead of " << should;
    }
  }
  const gguf::Reader our_file(ours), their_file(theirs);
  for (const char* key : {"imatrix.chunk_count", "imatrix.chunk_size"}) {
    EXPECT_EQ(*our_file.metadata().get<std::uint32_t>(key),
              *their_file.metadata().get<std::uint32_t>(key))
        << key;
  }
  return largest;
}

class ImportancePeer : public ::testing::TestWithParam<ModelCase> {};

TEST_P(ImportancePeer, IsThatOfLlamaCppOnTheSameWindows) {
  LQ_NEED_PEER("LLAMA_PEER");
  const ScratchDirectory scratch, converted;
  const auto model = write_random_model(converted, GetParam().runtime_config());
  const std::string windows = scratch.write("windows.json", some_windows().dump());
  calibrate(model, windows, scratch.path() / "ours.gguf", scratch);
  const auto f32 = quantized(model, "F32", scratch);
  llama_peer({"imatrix", f32.string(), windows, scratch.path() / "theirs.gguf", "--ctx",
              std::to_string(kWindow), "--output"});
  expect_same_importance(scratch.path() / "ours.gguf", scratch.path() / "theirs.gguf",
                         1e-3);  // measured: 3e-6 at most
}

INSTANTIATE_TEST_SUITE_P(All, ImportancePeer, ::testing::ValuesIn(kModelCases),
                         [](const auto& row) { return std::string(row.param.name); });

class ImportanceOfTinyLlama : public ::testing::Test {
 protected:
  void SetUp() override {
    LQ_NEED_PEER("LLAMA_PEER");
    f32_ = quantized(tiny_llama(), "F32", scratch_);
    windows_ = scratch_.write("windows.json", some_windows().dump());
  }
  std::filesystem::path path(const std::string& name) const { return scratch_.path() / name; }
  /// A hash of what llama.cpp's quantizer makes with an importance matrix, or "none".
  std::string peers_file(const std::string& type, const std::string& imatrix) const {
    const std::string out = path("peer.gguf");
    llama_peer({"quantize", f32_.string(), out, type, imatrix});
    return hash_of(out);
  }

  ScratchDirectory scratch_;
  std::filesystem::path f32_;
  std::string windows_;
};

TEST_F(ImportanceOfTinyLlama, IsThatOfLlamaCppOnTheSameWindows) {
  for (const bool with_output : {true, false}) {
    std::vector<std::string> arguments = {"imatrix", f32_.string(),
                                          windows_,  path("theirs.gguf").string(),
                                          "--ctx",   std::to_string(kWindow)};
    if (with_output) arguments.emplace_back("--output");
    llama_peer(arguments);
    calibrate(tiny_llama(), windows_, path("ours.gguf"), scratch_);
    auto theirs = tensors_of(path("theirs.gguf"));
    EXPECT_EQ(theirs.contains("output.weight.counts"), with_output);
    if (with_output) expect_same_importance(path("ours.gguf"), path("theirs.gguf"), 1e-3);
  }
}

TEST_F(ImportanceOfTinyLlama, IsNearInBfloat16) {
  llama_peer({"imatrix", f32_.string(), windows_, path("theirs.gguf"), "--ctx",
              std::to_string(kWindow), "--output"});
  calibrate(tiny_llama(), windows_, path("ours.gguf"), scratch_, {});
  const double largest =
      expect_same_importance(path("ours.gguf"), path("theirs.gguf"), 0.05);  // measured: 0.017
  EXPECT_GT(largest, 1e-3) << "these are not the products of bfloat16";
}

TEST_F(ImportanceOfTinyLlama, ChangesWhatTheirQuantizerMakes) {
  calibrate(tiny_llama(), windows_, path("ours.gguf"), scratch_);
  calibrate(tiny_llama(), windows_, path("ours.dat"), scratch_);
  for (const char* type : {"Q4_K_M", "Q2_K"}) {
    SCOPED_TRACE(type);
    const std::string plain = peers_file(type, "none");
    const std::string weighed = peers_file(type, path("ours.gguf"));
    EXPECT_NE(weighed, plain);
    // Four windows: means times four are exact, and both forms say the same.
    EXPECT_EQ(peers_file(type, path("ours.dat")), weighed);
  }
}

TEST(ImportanceOfSmolLm2, IsThatOfLlamaCppAndServesOurQuantizer) {
  LQ_NEED_PEER("LLAMA_PEER");
  LQ_NEED_PEER("LQ_SMOLLM2");
  const std::filesystem::path model = peer_path("LQ_SMOLLM2");
  const ScratchDirectory scratch;
  const auto path = [&](const char* name) { return (scratch.path() / name).string(); };
  const std::string f32 = quantized(model, "F32", scratch);
  const std::string text = std::filesystem::path(LQ_TEST_DATA) / "tiny-llama-golden/eval.txt";
  const json ids = json::parse(llama_peer({"tokenize", f32, "--file", text}));
  json windows;
  for (std::size_t i = 0; i < 4 * kWindow; ++i) windows[i / kWindow].push_back(ids.at(i));
  scratch.write("windows.json", windows.dump());
  calibrate(model, path("windows.json"), path("ours.gguf"), scratch);
  llama_peer({"imatrix", f32, path("windows.json"), path("theirs.gguf"), "--ctx",
              std::to_string(kWindow), "--output"});
  // Its embeddings are its output matrix, which has no entry of its own then.
  EXPECT_FALSE(tensors_of(path("theirs.gguf")).contains("output.weight.counts"));
  expect_same_importance(path("ours.gguf"), path("theirs.gguf"), 1e-3);
  std::filesystem::remove(f32);
  const auto hash = [&](const std::string& option, const std::string& source) {
    return read_file(
        quantized(model, "Q4_K_M", scratch, {option, source, "--no-solve", "--force"}));
  };
  EXPECT_EQ(hash("--calibration", path("calib")), hash("--imatrix", path("ours.gguf")));
}

}  // namespace
}  // namespace lq::testing

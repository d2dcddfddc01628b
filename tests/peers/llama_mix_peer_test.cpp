// For every file type, the type of each tensor and the order of tensors are those that llama.cpp's
// quantizer chooses.

#include <gtest/gtest.h>

#include "tests/peers/quantized.h"

namespace lq::testing {
namespace {

/// Compares every file type on one model. `importance`: a file, or "none".
void compare_types(const std::filesystem::path& model, const std::filesystem::path& reference,
                   const std::string& importance, const ScratchDirectory& scratch) {
  const bool weighted = importance != "none";
  for (const FileTypeCase& file_type : kFileTypes) {
    if (file_type.needs_importance && !weighted) continue;
    SCOPED_TRACE(file_type.name);
    const auto options =
        weighted ? std::vector<std::string>{"--imatrix", importance} : std::vector<std::string>{};
    const auto ours = quantized(model, std::string(file_type.name), scratch, options);
    EXPECT_EQ(tensor_types(ours),
              planned_types(reference, std::string(file_type.name), importance));
    std::filesystem::remove(ours);
  }
}

std::string importance_of(const std::filesystem::path& reference, const std::string& tokens,
                          const ScratchDirectory& scratch) {
  const std::string importance = scratch.path() / "importance.gguf";
  // A few texts will do: which entries there are matters here, not their values.
  llama_peer({"imatrix", reference.string(), tokens, importance, "--max-windows", "4"});
  return importance;
}

/// A model of given shape with random weights.
std::filesystem::path synthetic(const ScratchDirectory& scratch, std::vector<std::string> shape) {
  const std::filesystem::path folder = scratch.path() / "model";
  shape.insert(shape.begin(), {tool("make_model"), folder.string()});
  const Outcome outcome = run({shape, {}, {}});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return folder;
}

TEST(LlamaMix, IsThePeersOnTheBundledModel) {
  LQ_NEED_PEER("LLAMA_PEER");
  LQ_NEED_PEER("LQ_PEER_PYTHON");
  const ScratchDirectory scratch;
  const auto reference = reference_f32(tiny_llama(), scratch);
  compare_types(tiny_llama(), reference, "none", scratch);
}

TEST(LlamaMix, IsThePeersOnTheBundledModelWithImportance) {
  LQ_NEED_PEER("LLAMA_PEER");
  LQ_NEED_PEER("LQ_PEER_PYTHON");
  const ScratchDirectory scratch;
  const auto reference = reference_f32(tiny_llama(), scratch);
  const std::string tokens = calibration_tokens(reference, scratch);
  compare_types(tiny_llama(), reference, importance_of(reference, tokens, scratch), scratch);
}

TEST(LlamaMix, IsThePeersWhereRowsAreNoMultipleOf256) {
  LQ_NEED_PEER("LLAMA_PEER");
  LQ_NEED_PEER("LQ_SMOLLM2");
  const ScratchDirectory scratch;
  const std::filesystem::path model = peer_path("LQ_SMOLLM2");
  compare_types(model, reference_f32(model, scratch), "none", scratch);
}

TEST(LlamaMix, IsThePeersWithAsManyKeyHeadsAsQueryHeads) {
  LQ_NEED_PEER("LLAMA_PEER");
  LQ_NEED_PEER("LQ_PEER_PYTHON");
  const ScratchDirectory scratch;
  const auto model = synthetic(scratch, {"--layers", "9", "--hidden", "256", "--ffn", "512",
                                         "--heads", "4", "--kv-heads", "4", "--vocab", "1024"});
  compare_types(model, reference_f32(model, scratch), "none", scratch);
}

TEST(LlamaMix, IsThePeersWithEightQueryHeadsPerKeyHead) {
  LQ_NEED_PEER("LLAMA_PEER");
  LQ_NEED_PEER("LQ_PEER_PYTHON");
  const ScratchDirectory scratch;
  const auto model = synthetic(scratch, {"--layers", "80", "--hidden", "256", "--ffn", "256",
                                         "--heads", "8", "--kv-heads", "1", "--vocab", "1024"});
  compare_types(model, reference_f32(model, scratch), "none", scratch);
}

}  // namespace
}  // namespace lq::testing

#include "tests/peers/llama/runner.h"

#include <algorithm>
#include <stdexcept>

#include "tests/peers/llama/files.h"

namespace peer {
namespace {

Model* load(const std::string& path, bool vocab_only) {
  ModelParams params = llama_model_default_params();
  params.n_gpu_layers = 0;
  params.vocab_only = vocab_only;
  Model* model = llama_model_load_from_file(path.c_str(), params);
  if (model == nullptr) throw std::runtime_error("llama.cpp cannot load " + path);
  return model;
}

}  // namespace

Runner::Runner(const std::string& path, std::size_t longest_window, int n_threads,
               EvaluatedCallback evaluated, void* evaluated_data, Evaluation evaluation)
    : model_(load(path, false)) {
  const auto n_ctx = static_cast<std::uint32_t>(longest_window);
  ContextParams params = llama_context_default_params();
  params.n_ctx = params.n_batch = n_ctx;
  params.n_ubatch = std::min(n_ctx, 512u);
  params.n_threads = params.n_threads_batch = n_threads;
  params.n_outputs_max_per_seq = 0;
  params.evaluated = evaluated;
  params.evaluated_data = evaluated_data;
  if (evaluation == Evaluation::kReproducible) {
    params.flash_attention = 0;
    params.type_k = params.type_v = kTypeF32;
  }
  context_ = llama_init_from_model(model_, params);
  if (context_ == nullptr) throw std::runtime_error("llama.cpp makes no context for " + path);
  batch_ = llama_batch_init(static_cast<std::int32_t>(n_ctx), 0, 1);
  n_vocab_ = static_cast<std::size_t>(llama_vocab_n_tokens(llama_model_get_vocab(model_)));
}

Runner::~Runner() {
  llama_batch_free(batch_);
  llama_free(context_);
  llama_model_free(model_);
}

void Runner::run(const Tokens& window, bool all_logits) {
  llama_memory_clear(llama_get_memory(context_), true);
  batch_.n_tokens = static_cast<std::int32_t>(window.size());
  for (std::size_t i = 0; i < window.size(); ++i) {
    batch_.token[i] = window[i];
    batch_.position[i] = static_cast<std::int32_t>(i);
    batch_.n_seq_id[i] = 1;
    batch_.seq_id[i][0] = 0;
    batch_.logits[i] = all_logits || i + 1 == window.size() ? 1 : 0;
  }
  if (llama_decode(context_, batch_) != 0) throw std::runtime_error("llama.cpp failed to decode");
}

std::span<const float> Runner::logits(std::size_t position) const {
  return {llama_get_logits_ith(context_, static_cast<std::int32_t>(position)), n_vocab_};
}

std::vector<Tokens> tokenize(const std::string& model_path, std::span<const std::string> texts,
                             TokenizeOptions options) {
  Model* model = load(model_path, true);
  const Vocabulary* vocabulary = llama_model_get_vocab(model);
  std::vector<Tokens> lists;
  for (const std::string& text : texts) {
    Tokens ids(text.size() + 16);  // a token has at least one byte
    const std::int32_t n = llama_tokenize(
        vocabulary, text.data(), static_cast<std::int32_t>(text.size()), ids.data(),
        static_cast<std::int32_t>(ids.size()), options.add_special, options.parse_special);
    if (n < 0) throw std::runtime_error("llama.cpp failed to tokenize");
    ids.resize(static_cast<std::size_t>(n));
    lists.push_back(std::move(ids));
  }
  llama_model_free(model);
  return lists;
}

std::vector<Tokens> read_windows(const std::string& path, std::size_t window) {
  std::vector<Tokens> lists = read_token_lists(path);
  if (lists.size() != 1) return lists;
  const Tokens& all = lists.front();
  std::vector<Tokens> windows;
  for (std::size_t i = 0; i + 1 < all.size(); i += window) {
    const std::size_t end = std::min(all.size(), i + window);
    windows.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(i),
                         all.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return windows;
}

std::size_t longest(std::span<const Tokens> windows) {
  std::size_t length = 0;
  for (const Tokens& window : windows) length = std::max(length, window.size());
  return length;
}

}  // namespace peer

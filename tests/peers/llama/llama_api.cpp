#include "tests/peers/llama/llama_api.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <cstdio>
#include <dlfcn.h>
#include <stdexcept>
#include <utility>

namespace peer {
namespace {

constexpr int kLogLevelError = 4;
bool verbose_log = false;

void log_line(int level, const char* text, void*) {
  if (verbose_log || level == kLogLevelError) std::fputs(text, stderr);
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

/// Distinctive defaults must sit where the structures of this generation put them.
bool layouts_agree() {
  const ModelParams model = llama_model_default_params();
  const ContextParams context = llama_context_default_params();
  const QuantizeParams quantize = llama_model_quantize_default_params();
  return model.n_gpu_layers == -1 && model.split_mode == 1 && model.load_mode == -1 &&
         model.use_extra_buffers && !model.vocab_only && !model.check_tensors &&
         context.n_ctx == 512 && context.n_batch == 2048 && context.n_ubatch == 512 &&
         context.n_seq_max == 1 && context.n_threads == 4 && context.n_threads_batch == 4 &&
         context.rope_scaling_type == -1 && context.flash_attention == -1 &&
         context.yarn_ext == -1.0f && context.defrag_threshold == -1.0f && context.type_k == 1 &&
         context.type_v == 1 && context.offload_kqv && context.swa_full &&
         quantize.file_type == 7 && quantize.output_type == kTypeCount &&
         quantize.embedding_type == kTypeCount && quantize.quantize_output &&
         quantize.max_buffer_bytes == std::size_t{8} << 30;
}

constexpr std::array<std::pair<const char*, std::int32_t>, 20> kFileTypes = {{
    {"F32", 0},     {"F16", 1},     {"Q4_0", 2},    {"Q4_1", 3},    {"Q8_0", 7},
    {"Q5_0", 8},    {"Q5_1", 9},    {"Q2_K", 10},   {"Q3_K_S", 11}, {"Q3_K_M", 12},
    {"Q3_K_L", 13}, {"Q4_K_S", 14}, {"Q4_K_M", 15}, {"Q5_K_S", 16}, {"Q5_K_M", 17},
    {"Q6_K", 18},   {"Q2_K_S", 21}, {"BF16", 32},   {"IQ4_NL", 25}, {"IQ4_XS", 30},
}};

}  // namespace

void open_libraries(const std::string& folder, bool verbose) {
  if (folder.empty()) throw std::runtime_error("give --lib FOLDER or set LLAMA_PEER_LIB");
  verbose_log = verbose;
  std::array<void*, 3> handles{};
  const std::array<const char*, 3> names = {"libggml-base.so", "libggml.v0.5.0.so",
                                            "libllama.v0.5.0.so"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    handles[i] = dlopen((folder + "/" + names[i]).c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (handles[i] == nullptr) throw std::runtime_error(dlerror());
  }
  const auto find = [&](const char* name) {
    for (void* handle : handles) {
      if (void* symbol = dlsym(handle, name)) return symbol;
    }
    throw std::runtime_error(std::string("symbol not found: ") + name);
  };
#define LQ_PEER_BIND(result, name, parameters) name = std::bit_cast<decltype(name)>(find(#name));
  LQ_PEER_SYMBOLS(LQ_PEER_BIND)
#undef LQ_PEER_BIND
  llama_log_set(log_line, nullptr);
  ggml_backend_load_all_from_path(folder.c_str());
  llama_backend_init();
  if (!layouts_agree()) {
    throw std::runtime_error("the library's parameters have another layout; wrong version");
  }
}

std::string capture_log(const std::function<void()>& work) {
  std::string text;
  llama_log_set([](int, const char* part, void* into) { *static_cast<std::string*>(into) += part; },
                &text);
  work();
  llama_log_set(log_line, nullptr);
  return text;
}

std::int32_t type_id(const std::string& name) {
  const std::string wanted = upper(name);
  for (std::int32_t id = 0; id < kTypeCount; ++id) {
    const TypeTraits* traits = ggml_get_type_traits(id);
    if (traits != nullptr && traits->name != nullptr && traits->block_elems > 0 &&
        upper(traits->name) == wanted) {
      return id;
    }
  }
  throw std::runtime_error("no tensor type " + name);
}

std::int32_t file_type_id(const std::string& name) {
  for (const auto& [spelling, id] : kFileTypes) {
    if (upper(name) == spelling) return id;
  }
  throw std::runtime_error("no file type " + name);
}

}  // namespace peer

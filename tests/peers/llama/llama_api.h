#pragma once
// The entry points of llama.cpp's shared libraries (generation 0.5.0) that the harness calls.
//
// No header of theirs is used: the declarations below state the layout that this generation has,
// the libraries are opened at run time, and open_libraries() refuses to go on when the library's
// own default parameters do not lie where these structures say.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace peer {

struct Model;
struct Vocabulary;
struct Context;
struct GgufFile;

struct ModelParams {
  void* devices;
  void* buffer_overrides;
  std::int32_t n_gpu_layers, split_mode, load_mode, lazy_mode, main_gpu, padding0;
  const float* tensor_split;
  bool (*progress)(float, void*);
  void* progress_data;
  const void* key_overrides;
  bool vocab_only, check_tensors, use_extra_buffers, no_host, no_alloc, load_extra, padding1[2];
};
static_assert(sizeof(ModelParams) == 80 && offsetof(ModelParams, vocab_only) == 0x48);

struct Tensor;

struct ContextParams {
  std::uint32_t n_ctx, n_batch, n_ubatch, n_seq_max, n_rs_seq, n_outputs_max, n_outputs_max_per_seq;
  std::int32_t n_threads, n_threads_batch;
  std::int32_t context_type, rope_scaling_type, pooling_type, attention_type, flash_attention;
  float rope_freq_base, rope_freq_scale, yarn_ext, yarn_attn, yarn_beta_fast, yarn_beta_slow;
  std::uint32_t yarn_original_ctx;
  float defrag_threshold;
  bool (*evaluated)(Tensor*, bool, void*);
  void* evaluated_data;
  std::int32_t type_k, type_v;
  void* abort;
  void* abort_data;
  bool embeddings, offload_kqv, no_perf, op_offload, swa_full, kv_unified, padding0[2];
  void* samplers;
  std::size_t n_samplers;
  void* other;
};
static_assert(sizeof(ContextParams) == 160 && offsetof(ContextParams, evaluated) == 0x58 &&
              offsetof(ContextParams, embeddings) == 0x80);

struct ImportanceEntry {  // a list ends with a null name
  const char* name;
  const float* data;
  std::size_t size;
};
struct TypeOverride {  // a list ends with a null pattern
  const char* pattern;
  std::int32_t type;
};

struct QuantizeParams {
  std::int32_t n_threads, file_type, output_type, embedding_type;
  bool allow_requantize, quantize_output, only_copy, pure, keep_split, dry_run, padding0[2];
  const ImportanceEntry* importance;
  const void* key_overrides;
  const TypeOverride* types;
  const std::int32_t* prune;
  std::size_t max_buffer_bytes;
};
static_assert(sizeof(QuantizeParams) == 64 && offsetof(QuantizeParams, importance) == 0x18);

struct Batch {
  std::int32_t n_tokens;
  std::int32_t* token;
  float* embedding;
  std::int32_t* position;
  std::int32_t* n_seq_id;
  std::int32_t** seq_id;
  std::int8_t* logits;
};

struct Tensor {
  std::int32_t type;
  void* buffer;
  std::int64_t ne[4];  // elements per axis, fastest first
  std::size_t nb[4];   // bytes per step of each axis
  std::int32_t op, op_params[16], flags;
  Tensor* source[10];
  Tensor* view_source;
  std::size_t view_offset;
  void* data;
  char name[64];
  void* extra;
  char padding[8];
};

struct TypeTraits {
  const char* name;
  std::int64_t block_elems, interleave;
  std::size_t block_bytes;
  bool is_quantized;
  void (*to_float)(const void*, float*, std::int64_t);
  void (*from_float)(const float*, void*, std::int64_t);
};

struct GgufInit {
  bool no_alloc;
  void** context;
};

constexpr std::int32_t kTypeF32 = 0;
constexpr std::int32_t kTypeCount = 43;  // also "no type given" in QuantizeParams

// X(return type, name, parameters)
#define LQ_PEER_SYMBOLS(X)                                                                       \
  X(void, llama_backend_init, ())                                                                \
  X(ModelParams, llama_model_default_params, ())                                                 \
  X(ContextParams, llama_context_default_params, ())                                             \
  X(QuantizeParams, llama_model_quantize_default_params, ())                                     \
  X(std::uint32_t, llama_model_quantize, (const char*, const char*, const QuantizeParams*))      \
  X(Model*, llama_model_load_from_file, (const char*, ModelParams))                              \
  X(void, llama_model_free, (Model*))                                                            \
  X(Context*, llama_init_from_model, (Model*, ContextParams))                                    \
  X(void, llama_free, (Context*))                                                                \
  X(const Vocabulary*, llama_model_get_vocab, (const Model*))                                    \
  X(std::int32_t, llama_vocab_n_tokens, (const Vocabulary*))                                     \
  X(std::int32_t, llama_tokenize,                                                                \
    (const Vocabulary*, const char*, std::int32_t, std::int32_t*, std::int32_t, bool, bool))     \
  X(Batch, llama_batch_init, (std::int32_t, std::int32_t, std::int32_t))                         \
  X(void, llama_batch_free, (Batch))                                                             \
  X(std::int32_t, llama_decode, (Context*, Batch))                                               \
  X(float*, llama_get_logits_ith, (Context*, std::int32_t))                                      \
  X(void*, llama_get_memory, (const Context*))                                                   \
  X(void, llama_memory_clear, (void*, bool))                                                     \
  X(void, llama_log_set, (void (*)(int, const char*, void*), void*))                             \
  X(const char*, llama_version, ())                                                              \
  X(const char*, llama_print_system_info, ())                                                    \
  X(void, ggml_backend_load_all_from_path, (const char*))                                        \
  X(std::size_t, ggml_quantize_chunk,                                                            \
    (std::int32_t, const float*, void*, std::int64_t, std::int64_t, std::int64_t, const float*)) \
  X(bool, ggml_quantize_requires_imatrix, (std::int32_t))                                        \
  X(void, ggml_quantize_init, (std::int32_t))                                                    \
  X(bool, ggml_validate_row_data, (std::int32_t, const void*, std::size_t))                      \
  X(const TypeTraits*, ggml_get_type_traits, (std::int32_t))                                     \
  X(const char*, ggml_op_name, (std::int32_t))                                                   \
  X(std::size_t, ggml_row_size, (std::int32_t, std::int64_t))                                    \
  X(GgufFile*, gguf_init_from_file, (const char*, GgufInit))                                     \
  X(void, gguf_free, (GgufFile*))                                                                \
  X(std::int64_t, gguf_get_n_kv, (const GgufFile*))                                              \
  X(std::int64_t, gguf_get_n_tensors, (const GgufFile*))                                         \
  X(const char*, gguf_get_key, (const GgufFile*, std::int64_t))                                  \
  X(std::int32_t, gguf_get_kv_type, (const GgufFile*, std::int64_t))                             \
  X(std::int32_t, gguf_get_arr_type, (const GgufFile*, std::int64_t))                            \
  X(std::size_t, gguf_get_arr_n, (const GgufFile*, std::int64_t))                                \
  X(const char*, gguf_get_val_str, (const GgufFile*, std::int64_t))                              \
  X(const void*, gguf_get_val_data, (const GgufFile*, std::int64_t))                             \
  X(const char*, gguf_get_tensor_name, (const GgufFile*, std::int64_t))                          \
  X(std::size_t, gguf_get_tensor_offset, (const GgufFile*, std::int64_t))                        \
  X(std::size_t, gguf_get_tensor_size, (const GgufFile*, std::int64_t))                          \
  X(const std::int64_t*, gguf_get_tensor_ne, (const GgufFile*, std::int64_t))                    \
  X(std::int32_t, gguf_get_tensor_type, (const GgufFile*, std::int64_t))                         \
  X(std::size_t, gguf_get_data_offset, (const GgufFile*))

#define LQ_PEER_DECLARE(result, name, parameters) inline result(*name) parameters = nullptr;
LQ_PEER_SYMBOLS(LQ_PEER_DECLARE)
#undef LQ_PEER_DECLARE

/// Opens the libraries in `folder` and binds every symbol above. Throws std::runtime_error.
void open_libraries(const std::string& folder, bool verbose);

/// Everything the library logs while `work` runs.
std::string capture_log(const std::function<void()>& work);

/// The id of a tensor type ("q4_K", any case). Throws std::runtime_error for an unknown one.
std::int32_t type_id(const std::string& name);
/// The id of a file type ("Q4_K_M", any case).
std::int32_t file_type_id(const std::string& name);

}  // namespace peer

#pragma once
// llama.cpp's block encoders and decoders, called directly: libggml-base.so opened at run time from
// the folder in LLAMA_PEER_LIB.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lq::testing {

class GgmlLibrary {
 public:
  /// nullptr when LLAMA_PEER_LIB is unset or the library cannot be opened.
  static const GgmlLibrary* open();

  /// Bytes of one row as the library counts them.
  std::size_t row_bytes(std::uint32_t type, std::int64_t row_elems) const;
  /// `importance` is nullptr or [row_elems].
  void quantize(std::uint32_t type, const float* x, void* out, std::int64_t n_rows,
                std::int64_t row_elems, const float* importance) const;
  /// n_elems is a multiple of the type's block.
  void dequantize(std::uint32_t type, const void* blocks, float* out, std::int64_t n_elems) const;

 private:
  GgmlLibrary() = default;

  // Fields of the library's type description that are used here, in its order.
  struct TypeTraits {
    const char* name;
    std::int64_t block_elems, block_elems_interleave;
    std::size_t block_bytes;
    bool is_quantized;
    void (*to_float)(const void*, float*, std::int64_t);
  };

  std::size_t (*row_size_)(int, std::int64_t) = nullptr;
  std::size_t (*quantize_chunk_)(int, const float*, void*, std::int64_t, std::int64_t, std::int64_t,
                                 const float*) = nullptr;
  const TypeTraits* (*type_traits_)(int) = nullptr;
};

}  // namespace lq::testing

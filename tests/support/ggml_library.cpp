#include "tests/support/ggml_library.h"

#include <cstdlib>
#include <dlfcn.h>
#include <string>

namespace lq::testing {
namespace {

template <class Function>
bool resolve(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

}  // namespace

const GgmlLibrary* GgmlLibrary::open() {
  static const GgmlLibrary* const opened = []() -> const GgmlLibrary* {
    const char* const folder = std::getenv("LLAMA_PEER_LIB");
    if (folder == nullptr || *folder == '\0') return nullptr;
    void* const library = dlopen((std::string(folder) + "/libggml-base.so").c_str(), RTLD_NOW);
    if (library == nullptr) return nullptr;
    static GgmlLibrary self;
    const bool complete = resolve(library, "ggml_row_size", self.row_size_) &&
                          resolve(library, "ggml_quantize_chunk", self.quantize_chunk_) &&
                          resolve(library, "ggml_get_type_traits", self.type_traits_);
    return complete ? &self : nullptr;
  }();
  return opened;
}

std::size_t GgmlLibrary::row_bytes(std::uint32_t type, std::int64_t row_elems) const {
  return row_size_(static_cast<int>(type), row_elems);
}

void GgmlLibrary::quantize(std::uint32_t type, const float* x, void* out, std::int64_t n_rows,
                           std::int64_t row_elems, const float* importance) const {
  quantize_chunk_(static_cast<int>(type), x, out, 0, n_rows, row_elems, importance);
}

void GgmlLibrary::dequantize(std::uint32_t type, const void* blocks, float* out,
                             std::int64_t n_elems) const {
  type_traits_(static_cast<int>(type))->to_float(blocks, out, n_elems);
}

}  // namespace lq::testing

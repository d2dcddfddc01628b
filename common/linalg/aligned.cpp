#include "common/linalg/aligned.h"

#include <cstdlib>
#include <limits>
#ifdef __linux__
#include <sys/mman.h>
#endif

namespace lq::linalg {

void* allocate_aligned(std::size_t bytes) {
  constexpr std::size_t kLine = 64, kLargePage = std::size_t{2} << 20;
  if (bytes > std::numeric_limits<std::size_t>::max() - kLargePage) throw std::bad_alloc();
  const bool is_large = bytes >= 2 * kLargePage;
  const std::size_t alignment = is_large ? kLargePage : kLine;
  void* const memory =
      std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
#ifdef __linux__
  if (is_large) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return memory;
}

void free_aligned(void* memory) noexcept { std::free(memory); }

}  // namespace lq::linalg

#pragma once
// Memory for matrices: rows begin where cache lines do, large blocks use large pages, and nothing is
// written to it before its first use.

#include <cstddef>
#include <new>
#include <vector>

namespace lq::linalg {

/// Memory of at least `bytes`, in whole cache lines. Throws std::bad_alloc.
void* allocate_aligned(std::size_t bytes);
void free_aligned(void* memory) noexcept;

/// For std::vector: aligned, and elements of resize() keep what was in the memory.
template <class T>
struct AlignedAllocator {
  using value_type = T;

  AlignedAllocator() = default;
  template <class U>
  explicit AlignedAllocator(const AlignedAllocator<U>&) noexcept {}

  T* allocate(std::size_t n) { return static_cast<T*>(allocate_aligned(n * sizeof(T))); }
  void deallocate(T* memory, std::size_t) noexcept { free_aligned(memory); }
  void construct(T* place) noexcept { ::new (static_cast<void*>(place)) T; }
  template <class... Arguments>
  void construct(T* place, Arguments&&... arguments) {
    ::new (static_cast<void*>(place)) T(static_cast<Arguments&&>(arguments)...);
  }
  bool operator==(const AlignedAllocator&) const = default;
};

template <class T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

}  // namespace lq::linalg

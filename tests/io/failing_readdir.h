#pragma once
// A directory that cannot be read to its end: readdir in place of the C library's, for the whole
// test program. Include it in one file of it.

#include <cerrno>
#include <dirent.h>
#include <dlfcn.h>

namespace lq::testing {

/// While one exists, the third entry of every directory is an I/O error.
class FailingReaddir {
 public:
  FailingReaddir() { entries_left = 2; }
  ~FailingReaddir() { entries_left = -1; }
  FailingReaddir(const FailingReaddir&) = delete;
  FailingReaddir& operator=(const FailingReaddir&) = delete;

  static inline int entries_left = -1;  // negative = no failure
};

}  // namespace lq::testing

extern "C" struct dirent* readdir(DIR* directory) {
  using Readdir = struct dirent*(DIR*);
  static Readdir* const real = reinterpret_cast<Readdir*>(::dlsym(RTLD_NEXT, "readdir"));
  int& left = lq::testing::FailingReaddir::entries_left;
  if (left < 0) return real(directory);
  if (left == 0) {
    errno = EIO;
    return nullptr;
  }
  --left;
  return real(directory);
}

#pragma once
// A directory of a test's own, removed at the end; and the error that a piece of code throws, for
// checking its parts.

#include <filesystem>
#include <gtest/gtest.h>
#include <string>

#include "common/base/errors.h"

namespace lq::testing {

class ScratchDirectory {
 public:
  ScratchDirectory();
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }
  /// Writes a file below the directory and returns its path.
  std::filesystem::path write(const std::string& name, const std::string& bytes) const;

 private:
  std::filesystem::path path_;
};

std::string read_file(const std::filesystem::path& path);

/// Runs `code` and returns the QuantizationError of type E that it throws; fails the test when it
/// throws none.
template <class E, class F>
E error_of(F&& code) {
  try {
    code();
  } catch (const E& error) {
    return error;
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another exception: " << error.what();
    return E("", "", "");
  }
  ADD_FAILURE() << "nothing was thrown";
  return E("", "", "");
}

}  // namespace lq::testing

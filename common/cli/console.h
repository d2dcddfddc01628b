#pragma once
// Standard error as people see it: complete lines, and one status line (the progress bar) that is
// drawn over itself with carriage returns only and is gone before any other line appears.

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "common/base/environment.h"

namespace lq::cli {

/// What standard error is.
struct TerminalFacts {
  bool is_terminal = false;
  bool redraws = false;  // a bar may be drawn: a terminal, not dumb, no continuous integration
  bool colour = false;   // NO_COLOR and CLICOLOR_FORCE respected
  int columns = 80;
};
TerminalFacts terminal_facts(int fd, const base::Environment& environment);

/// Thread rule: all members may be called at once from several threads.
class Console {
 public:
  /// `write` takes text as it is; failing to write must not stop work.
  explicit Console(std::function<void(std::string_view)> write) : write_(std::move(write)) {}
  ~Console() { erase(); }
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// A line (without its newline), after erasing the status line.
  void print(std::string_view line);
  /// Draws the status line, which must fit the terminal.
  void draw(std::string_view status);
  void erase();

 private:
  void erase_locked();

  std::mutex mutex_;
  std::function<void(std::string_view)> write_;
  std::size_t drawn_ = 0;  // columns of the status line on the screen
};

/// Writes to a descriptor, ignoring errors: a closed standard error never stops work.
std::function<void(std::string_view)> descriptor_writer(int fd);

}  // namespace lq::cli

#include "common/cli/console.h"

#include <cerrno>
#include <sys/ioctl.h>
#include <unistd.h>

namespace lq::cli {

TerminalFacts terminal_facts(int fd, const base::Environment& environment) {
  TerminalFacts facts;
  facts.is_terminal = ::isatty(fd) == 1;
  facts.redraws =
      facts.is_terminal && environment.get("TERM") != "dumb" && environment.get("CI").empty();
  facts.colour = facts.is_terminal && environment.get("TERM") != "dumb";
  const std::string forced = environment.get("CLICOLOR_FORCE");
  if (!forced.empty() && forced != "0") facts.colour = true;
  if (!environment.get("NO_COLOR").empty()) facts.colour = false;
  winsize size{};
  if (facts.is_terminal && ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    facts.columns = size.ws_col;
  }
  return facts;
}

void Console::print(std::string_view line) {
  const std::lock_guard lock(mutex_);
  erase_locked();
  write_(std::string(line) + "\n");
}

void Console::draw(std::string_view status) {
  const std::lock_guard lock(mutex_);
  std::string text = "\r" + std::string(status);
  if (status.size() < drawn_) {
    text.append(drawn_ - status.size(), ' ');
    text.append("\r").append(status);  // so that the cursor stands behind the text
  }
  drawn_ = status.size();
  write_(text);
}

void Console::erase() {
  const std::lock_guard lock(mutex_);
  erase_locked();
}

void Console::erase_locked() {
  if (drawn_ == 0) return;
  write_("\r" + std::string(drawn_, ' ') + "\r");
  drawn_ = 0;
}

std::function<void(std::string_view)> descriptor_writer(int fd) {
  return [fd](std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(fd, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  };
}

}  // namespace lq::cli

#include "common/stage/journal.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <string_view>
#include <unistd.h>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/atomic_file.h"
#include "common/io/digest.h"
#include "common/io/file_status.h"
#include "common/io/input_file.h"
#include "common/io/output_error.h"
#include "common/stage/record.h"

namespace lq::stage {
namespace {

constexpr std::size_t kChecksumDigits = 16;

std::string checksum(std::string_view text) {
  return io::sha256_hex(std::as_bytes(std::span(text))).substr(0, kChecksumDigits);
}

std::string line_of(const nlohmann::json& object) {
  const std::string text = object.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return fmt::format("{} {}\n", text, checksum(text));
}

// Empty when the line is not one that line_of() wrote.
std::optional<nlohmann::json> parse_line(std::string_view line) {
  if (line.size() < kChecksumDigits + 1) return {};
  const std::string_view text = line.substr(0, line.size() - kChecksumDigits - 1);
  if (line[text.size()] != ' ' || line.substr(text.size() + 1) != checksum(text)) return {};
  nlohmann::json object = nlohmann::json::parse(text, nullptr, false);
  if (!object.is_object()) return {};
  return object;
}

std::string text_of(const std::filesystem::path& path) {
  try {
    return io::read_text_file(path);
  } catch (const base::QuantizationError& error) {
    throw base::CheckpointError(
        fmt::format("cannot continue from {}", base::shown(path)), error.why(),
        "make it readable, or discard the checkpoint and start again with --force");
  }
}

void take_line(const nlohmann::json& line, const std::filesystem::path& path,
               JournalContents& contents) {
  if (!contents.header) {
    if (value_or(line, "format", 0) > kJournalFormat) {
      throw base::CheckpointError(
          fmt::format("cannot continue from {}", base::shown(path)),
          fmt::format("it has format {} of a newer version ({}); this one knows format {}",
                      value_or(line, "format", 0),
                      base::escape_controls(text_or(line, "version", "unknown")), kJournalFormat),
          "use that version again, or discard the checkpoint with --force");
    }
    contents.header = line;
  } else if (line.contains("final")) {
    contents.final_manifest = line["final"];
  } else {
    contents.units.push_back({.file = value_or(line, "file", std::size_t{0}),
                              .offset = value_or(line, "offset", std::uint64_t{0}),
                              .size = value_or(line, "size", std::uint64_t{0}),
                              .xxh3 = text_or(line, "xxh3", "")});
  }
}

}  // namespace

JournalContents read_journal(const std::filesystem::path& path) {
  JournalContents contents;
  if (!io::file_status(path)) return contents;
  const std::string text = text_of(path);
  std::size_t number = 1;
  for (std::size_t begin = 0; begin < text.size(); ++number) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;
    const auto line = parse_line(std::string_view(text).substr(begin, end - begin));
    const bool last = end + 1 == text.size();
    if (!line && last) break;
    if (!line) {
      throw base::CheckpointError(fmt::format("cannot continue from {}", base::shown(path)),
                                  fmt::format("line {} does not match its checksum", number),
                                  "discard the checkpoint and start again with --force");
    }
    take_line(*line, path, contents);
    begin = end + 1;
    contents.intact_bytes = begin;
  }
  return contents;
}

JournalWriter::JournalWriter(std::filesystem::path path, std::uint64_t intact_bytes)
    : path_(std::move(path)) {
  fd_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd_ < 0 || ::ftruncate(fd_, static_cast<off_t>(intact_bytes)) != 0) {
    const int error_number = errno;
    if (fd_ >= 0) ::close(fd_);
    throw io::output_error(fmt::format("cannot write {}", base::shown(path_)), error_number, path_);
  }
}

JournalWriter::JournalWriter(std::filesystem::path path, const nlohmann::json& header)
    : path_(std::move(path)) {
  nlohmann::json first = header;
  first["format"] = kJournalFormat;
  io::write_file_atomically(path_, line_of(first));
  fd_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd_ < 0)
    throw io::output_error(fmt::format("cannot write {}", base::shown(path_)), errno, path_);
}

JournalWriter::~JournalWriter() {
  if (fd_ >= 0) ::close(fd_);
}

JournalWriter::JournalWriter(JournalWriter&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

void JournalWriter::append(std::span<const FinishedUnit> units) {
  std::string text;
  for (const FinishedUnit& unit : units) {
    text += line_of(
        {{"file", unit.file}, {"offset", unit.offset}, {"size", unit.size}, {"xxh3", unit.xxh3}});
  }
  append_text(text);
}

void JournalWriter::append_final(const nlohmann::json& manifest) {
  append_text(line_of({{"final", manifest}}));
}

void JournalWriter::append_text(const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t put = ::write(fd_, rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0)
      throw io::output_error(fmt::format("cannot write {}", base::shown(path_)), errno, path_);
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::fdatasync(fd_) != 0) {
    throw io::output_error(fmt::format("cannot write {}", base::shown(path_)), errno, path_);
  }
}

}  // namespace lq::stage

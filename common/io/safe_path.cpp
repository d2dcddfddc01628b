#include "common/io/safe_path.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "common/base/text.h"

namespace lq::io {
namespace {

constexpr std::size_t kMaxPathBytes = 1024;
constexpr std::size_t kMaxSegmentBytes = 255;
constexpr std::array<std::string_view, 3> kReserved = {".git", ".cache", ".lq"};

bool starts_with_drive(std::string_view segment) {
  if (segment.size() < 2 || segment[1] != ':') return false;
  const char letter = segment[0];
  return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z');
}

std::optional<std::string> segment_problem(std::string_view segment) {
  if (segment.empty()) return "has an empty segment";
  if (segment == "." || segment == "..") return fmt::format("has the segment `{}`", segment);
  if (segment.size() > kMaxSegmentBytes) {
    return fmt::format("has a segment of more than {} bytes", kMaxSegmentBytes);
  }
  if (starts_with_drive(segment)) return "starts a segment with a drive letter";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> path_problem(std::string_view path) {
  if (path.empty()) return "is empty";
  if (path.front() == '/') return "is absolute";
  if (path.size() > kMaxPathBytes) return fmt::format("has more than {} bytes", kMaxPathBytes);
  // What would have to be escaped on a terminal is what no file of a model has in its name.
  if (base::escape_controls(path) != path) return "has control characters or invalid UTF-8";
  if (path.find('\\') != std::string_view::npos) return "has a backslash";
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    if (auto problem = segment_problem(segment)) return problem;
    // Some file systems take .GIT for .git.
    if (begin == 0 && std::ranges::find(kReserved, base::to_lower(segment)) != kReserved.end()) {
      return fmt::format("lies below `{}`", segment);
    }
    begin = end + 1;
  }
  return std::nullopt;
}

}  // namespace lq::io

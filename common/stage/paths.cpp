#include "common/stage/paths.h"

#include <fmt/format.h>
#include <span>
#include <string_view>

#include "common/base/text.h"
#include "common/io/digest.h"
#include "common/io/file_status.h"
#include "common/io/list_directory.h"
#include "common/io/output_error.h"

namespace lq::stage {
namespace {

std::filesystem::path with_suffix(const std::filesystem::path& path, const char* suffix) {
  return path.string() + suffix;
}

// Tells outputs of one name in different directories apart.
std::string unique_name(const std::filesystem::path& output) {
  constexpr std::size_t kDigits = 12;
  const std::string place = output.string();
  return fmt::format("{}.{}", output.filename().string(),
                     io::sha256_hex(std::as_bytes(std::span(place))).substr(0, kDigits));
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// ".K-of-N"
bool is_shard_suffix(std::string_view text) {
  constexpr std::string_view kOf = "-of-";
  const std::size_t of = text.find(kOf);
  return text.starts_with('.') && of != std::string_view::npos &&
         is_number(text.substr(1, of - 1)) && is_number(text.substr(of + kOf.size()));
}

}  // namespace

ResultPaths paths_of(const ResultPlan& result, const std::filesystem::path& checkpoint_dir) {
  ResultPaths paths;
  std::filesystem::path output = result.path.lexically_normal();
  if (!output.has_filename()) output = output.parent_path();  // "dir/" names the directory "dir"
  paths.output = output;
  paths.part = with_suffix(output, ".lq-part");
  paths.lock = with_suffix(output, ".lq-lock");
  const bool directory = result.kind == ResultKind::kDirectory;
  paths.manifest = directory ? output / "lq-manifest.json" : with_suffix(output, ".lq.json");
  for (const OutputFile& file : result.files) {
    paths.targets.push_back(directory ? output / file.path : file.path);
    paths.parts.push_back(directory ? paths.part / file.path : with_suffix(file.path, ".lq-part"));
  }
  paths.journal = with_suffix(
      checkpoint_dir.empty() ? output : checkpoint_dir / unique_name(output), ".lq-journal");
  return paths;
}

std::filesystem::path of_shard(const std::filesystem::path& path, const Shard& shard) {
  return fmt::format("{}.{}-of-{}", path.string(), shard.index, shard.count);
}

std::vector<std::filesystem::path> shard_files(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  const std::filesystem::path directory = io::directory_of(path);
  std::error_code error;
  std::vector<std::filesystem::path> found = io::list_directory(directory, error);
  // One that is missing, or may be written but not listed, has none that could be found.
  if (error && error != std::errc::no_such_file_or_directory &&
      error != std::errc::permission_denied) {
    throw io::output_error(fmt::format("cannot list {}", base::shown(directory)), error.value(),
                           path);
  }
  std::erase_if(found, [&name](const std::filesystem::path& entry) {
    const std::string other = entry.filename().string();
    return !other.starts_with(name) ||
           !is_shard_suffix(std::string_view(other).substr(name.size()));
  });
  return found;
}

}  // namespace lq::stage

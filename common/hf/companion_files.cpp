#include "common/hf/companion_files.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <system_error>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/list_directory.h"
#include "common/model/checkpoint.h"

namespace lq::hf {
namespace {

constexpr std::string_view kTemplates = "additional_chat_templates";
// Of those that a conversion reads, the ones that are written anew.
constexpr std::array<std::string_view, 2> kWrittenAnew = {"config.json", "README.md"};
// What only runtimes and people read.
constexpr std::array<std::string_view, 8> kMore = {
    "vocab.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "preprocessor_config.json",
    "processor_config.json",
    "video_preprocessor_config.json",
    "tekken.json",
    "USE_POLICY.md",
};
constexpr std::array<std::string_view, 3> kPrefixes = {"LICENSE", "LICENCE", "NOTICE"};
constexpr std::array<std::string_view, 2> kSuffixes = {".py", ".tiktoken"};

bool is_companion(const std::string& name) {
  const auto has = [&](const auto& names) {
    return std::ranges::find(names, name) != std::ranges::end(names);
  };
  return (has(model::companion_names()) && !has(kWrittenAnew)) || has(kMore) ||
         std::ranges::any_of(kPrefixes, [&](auto prefix) { return name.starts_with(prefix); }) ||
         (!name.starts_with('.') &&
          std::ranges::any_of(kSuffixes, [&](auto suffix) { return name.ends_with(suffix); }));
}

std::vector<std::filesystem::path> entries(const std::filesystem::path& dir) {
  std::error_code failed;
  std::vector<std::filesystem::path> paths = io::list_directory(dir, failed);
  if (!failed) return paths;
  throw base::ValidationError(fmt::format("cannot read {}", base::shown(dir)),
                              base::errno_text(failed.value()),
                              "make the model directory readable");
}

}  // namespace

std::vector<std::filesystem::path> copied_companions(const std::filesystem::path& dir) {
  std::error_code ignored;
  std::vector<std::filesystem::path> files;
  for (const std::filesystem::path& path : entries(dir)) {
    const std::filesystem::path name = path.filename();
    if (is_companion(name.string()) && std::filesystem::is_regular_file(path, ignored)) {
      files.push_back(name);
    }
  }
  if (std::filesystem::is_directory(dir / kTemplates, ignored)) {
    for (const std::filesystem::path& path : entries(dir / kTemplates)) {
      if (path.extension() == ".jinja" && std::filesystem::is_regular_file(path, ignored)) {
        files.push_back(std::filesystem::path(kTemplates) / path.filename());
      }
    }
  }
  return files;
}

}  // namespace lq::hf

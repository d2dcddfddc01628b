#include "common/safetensors/model.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string>
#include <utility>
#include <vector>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/list_directory.h"
#include "common/safetensors/index.h"
#include "common/safetensors/reader.h"
#include "common/safetensors/sharded_model.h"

namespace lq::safetensors {
namespace {

constexpr std::string_view kSingleName = "model.safetensors";

std::string subject(const std::filesystem::path& dir) {
  return fmt::format("cannot open model {}", base::shown(dir));
}

// Names in `dir`, sorted. Throws ModelNotFoundError when it is not a readable directory.
std::vector<std::string> list(const std::filesystem::path& dir) {
  std::error_code error;
  const std::vector<std::filesystem::path> entries = io::list_directory(dir, error);
  if (error) {
    throw base::ModelNotFoundError(subject(dir), base::errno_text(error.value()),
                                   "name a directory with config.json and *.safetensors");
  }
  std::vector<std::string> names;
  for (const std::filesystem::path& entry : entries) names.push_back(entry.filename().string());
  return names;
}

std::vector<std::string> with_suffix(const std::vector<std::string>& names,
                                     std::span<const std::string_view> suffixes) {
  std::vector<std::string> found;
  for (const std::string& name : names) {
    const auto ends_name = [&](std::string_view suffix) { return name.ends_with(suffix); };
    if (std::ranges::any_of(suffixes, ends_name)) found.push_back(base::escape_controls(name));
  }
  return found;
}

[[noreturn]] void fail_without_weights(const std::filesystem::path& dir,
                                       const std::vector<std::string>& names) {
  constexpr std::array<std::string_view, 4> kPickle = {".bin", ".pt", ".pth", ".ckpt"};
  constexpr std::array<std::string_view, 1> kGguf = {".gguf"};
  constexpr std::size_t kShown = 5;
  if (auto pickle = with_suffix(names, kPickle); !pickle.empty()) {
    pickle.resize(std::min(pickle.size(), kShown));
    throw base::ModelNotFoundError(
        subject(dir),
        fmt::format("no safetensors weights, only pickle files, which can run code when loaded: {}",
                    fmt::join(pickle, ", ")),
        "fetch a revision with .safetensors files, or save the model as safetensors with "
        "transformers: save_pretrained(DIR)");
  }
  if (const auto gguf = with_suffix(names, kGguf); !gguf.empty()) {
    throw base::ModelNotFoundError(
        subject(dir), fmt::format("no safetensors weights, but the GGUF file {}", gguf.front()),
        "name that file, or a directory with config.json and *.safetensors");
  }
  throw base::ModelNotFoundError(
      subject(dir), fmt::format("no safetensors weights among its {} files", names.size()),
      "fetch the *.safetensors files of the model into it");
}

// The weights of a directory that has neither the index nor the usual name.
std::unique_ptr<tensor::TensorSource> open_other(const std::filesystem::path& dir, Data data,
                                                 const std::vector<std::string>& names) {
  constexpr std::array<std::string_view, 1> kSuffix = {".safetensors"};
  std::vector<std::string> files;
  for (const std::string& name : names) {
    if (name.ends_with(kSuffix[0])) files.push_back(name);
  }
  if (files.empty()) fail_without_weights(dir, names);
  if (files.size() > 1) {
    throw base::ModelNotFoundError(
        subject(dir),
        fmt::format("{} .safetensors files, but no {} that says what they hold", files.size(),
                    kIndexName),
        fmt::format("fetch {} into it", kIndexName));
  }
  std::vector<std::string> warnings = {
      fmt::format("the weights are taken from `{}`, the only "
                  ".safetensors file",
                  base::escape_controls(files.front()))};
  return std::make_unique<Reader>(dir / files.front(), data, std::move(warnings));
}

}  // namespace

std::unique_ptr<tensor::TensorSource> open_model(const std::filesystem::path& dir, Data data) {
  const std::vector<std::string> names = list(dir);
  const bool has_index = std::ranges::binary_search(names, kIndexName);
  const bool has_single = std::ranges::binary_search(names, kSingleName);
  if (has_index) {
    Index index = read_index(dir / kIndexName);
    const std::vector<std::string> files = index.files();
    if (has_single && !std::ranges::binary_search(files, kSingleName)) {
      index.warnings.push_back(
          fmt::format("{} is not used: {} names other files", kSingleName, kIndexName));
    }
    return std::make_unique<ShardedModel>(dir, std::move(index), data);
  }
  if (has_single) {
    return std::make_unique<Reader>(dir / kSingleName, data);
  }
  return open_other(dir, data, names);
}

}  // namespace lq::safetensors

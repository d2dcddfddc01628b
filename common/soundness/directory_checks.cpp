#include "common/soundness/directory_checks.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <system_error>

#include "common/base/text.h"
#include "common/io/json_file.h"
#include "common/io/list_directory.h"
#include "common/safetensors/index.h"
#include "common/safetensors/model.h"
#include "common/safetensors/reader.h"
#include "common/soundness/tokenizer_checks.h"

namespace lq::soundness {
namespace {

constexpr const char* kContainer = "container";
constexpr const char* kConfig = "config";

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

/// The files that hold the weights: those of the index, or all there are.
std::vector<std::filesystem::path> weight_files(const std::filesystem::path& dir, Report& report) {
  std::vector<std::filesystem::path> files;
  if (is_there(dir / safetensors::kIndexName)) {
    report.attempt(kContainer, kDirectoryRuntimes, [&] {
      const safetensors::Index index = safetensors::read_index(dir / safetensors::kIndexName);
      for (const std::string& name : index.files()) files.push_back(dir / name);
    });
    return files;
  }
  std::error_code ignored;
  files = io::list_directory(dir, ignored);
  std::erase_if(files, [](const auto& file) { return file.extension() != ".safetensors"; });
  return files;
}

}  // namespace

DirectoryChecks::DirectoryChecks(const std::filesystem::path& dir, Report& report) {
  checkpoint_.dir = dir;
  std::error_code ignored;
  const bool has_weights =
      std::ranges::any_of(io::list_directory(dir, ignored),
                          [](const auto& file) { return file.extension() == ".safetensors"; });
  if (!has_weights && !is_there(dir / "config.json")) {
    checkpoint_.config = model::read_config(dir);  // throws: there is none
  }
  has_config_ = report.attempt(kConfig, kDirectoryRuntimes,
                               [&] { checkpoint_.config = model::read_config(dir); });
  open_weights(report);
  if (!has_config_) return;
  declaration_ = read_declaration(checkpoint_.config, report);
  compare_config_copy(report);
  check_tokenizer_files(dir, checkpoint_.config, report);
  const bool is_known = report.attempt(kConfig, kDirectoryRuntimes, [&] {
    checkpoint_.architecture = &model::find_architecture(checkpoint_.config);
    model::require_complete(checkpoint_.config);
  });
  if (!is_known || !declaration_.is_known || checkpoint_.weights == nullptr) return;
  report.attempt(kConfig, kDirectoryRuntimes,
                 [&] { stored_ = read_stored_model(checkpoint_, declaration_, report); });
  if (stored_) linears_.emplace(*stored_, declaration_, *checkpoint_.weights);
}

void DirectoryChecks::open_weights(Report& report) {
  bool are_sound = true;
  for (const std::filesystem::path& file : weight_files(checkpoint_.dir, report)) {
    if (!is_there(file)) continue;  // open_model() says so
    are_sound &= report.attempt(kContainer, kDirectoryRuntimes,
                                [&] { const safetensors::Reader reader(file); });
  }
  if (!are_sound || report.has_fault(kContainer)) return;
  report.attempt(kContainer, kDirectoryRuntimes,
                 [&] { checkpoint_.weights = safetensors::open_model(checkpoint_.dir); });
  if (checkpoint_.weights == nullptr) return;
  for (const std::string& warning : checkpoint_.weights->warnings()) {
    report.remark(kContainer, "", warning, "readers pass over it");
  }
}

void DirectoryChecks::compare_config_copy(Report& report) const {
  constexpr std::array kKeys = {"bits", "group_size", "sym", "desc_act", "checkpoint_format"};
  const std::filesystem::path copy = checkpoint_.dir / "quantize_config.json";
  const auto object = checkpoint_.config.raw.find("quantization_config");
  if (object == checkpoint_.config.raw.end() || !object->is_object() || !is_there(copy)) return;
  report.attempt(kConfig, kNoRuntime, [&] {
    const nlohmann::json other = io::read_json_file(copy);
    for (const char* const key : kKeys) {
      if (!other.contains(key) || !object->contains(key) || other[key] == (*object)[key]) continue;
      report.fault(kConfig, "",
                   fmt::format("quantize_config.json has another `{}` than config.json", key),
                   "readers take it from the one or the other");
    }
  });
}

std::span<const std::filesystem::path> DirectoryChecks::files() const {
  if (checkpoint_.weights == nullptr) return {};
  return checkpoint_.weights->files();
}

void DirectoryChecks::add_segments(std::vector<FileJob>& jobs) {
  if (linears_) linears_->add_segments(jobs);
}

void DirectoryChecks::judge(Report& report) const {
  if (linears_) linears_->judge(report);
}

std::vector<RuntimeVerdict> DirectoryChecks::verdicts(const Report& report) const {
  return directory_verdicts(stored_ ? &*stored_ : nullptr, declaration_, checkpoint_.config,
                            report);
}

std::string DirectoryChecks::format() const {
  return declaration_.format == nullptr ? "float" : std::string(declaration_.format->name);
}

std::string DirectoryChecks::scheme() const {
  if (declaration_.format == nullptr) return checkpoint_.config.torch_dtype;
  return hf::describe(declaration_.common);
}

std::size_t DirectoryChecks::n_tensors() const {
  return checkpoint_.weights == nullptr ? 0 : checkpoint_.weights->tensors().size();
}

}  // namespace lq::soundness

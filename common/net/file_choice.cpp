#include "common/net/file_choice.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <fmt/format.h>
#include <span>
#include <string_view>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/net/wildcard.h"

namespace lq::net {
namespace {

constexpr std::string_view kSafetensors = ".safetensors";
constexpr std::string_view kConfigName = "config.json";

// Weights in formats that can run code when they are opened, the usual ones first.
constexpr auto kPickles =
    std::to_array<std::string_view>({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib",
                                     ".npy", ".npz", ".h5", ".keras", ".msgpack", ".ot"});
constexpr auto kPrograms = std::to_array<std::string_view>({".py", ".so", ".dll", ".exe", ".sh"});

// What is fetched with the weights; patterns of wildcard.h, seen from the chosen folder.
constexpr auto kCompanions = std::to_array<std::string_view>(
    {kConfigName, "generation_config.json", "quantization_config.json", "quantize_config.json",
     "hf_quant_config.json", "params.json",
     // tokenizer
     "tokenizer.json", "tokenizer_config.json", "*.model", "special_tokens_map.json",
     "added_tokens.json", "vocab.json", "vocab.txt", "merges.txt", "*.tiktoken", "tekken.json",
     // templates
     "chat_template.jinja", "chat_template.json", "additional_chat_templates/*.jinja",
     // processors
     "preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json",
     // papers
     "README.md", "LICENSE*", "NOTICE*", "USE_POLICY*"});

bool has_ending(std::string_view path, std::span<const std::string_view> endings) {
  const std::string lower = base::to_lower(path);
  return std::ranges::any_of(endings,
                             [&](std::string_view ending) { return lower.ends_with(ending); });
}

bool matches_any(const std::vector<std::string>& patterns, const std::string& path) {
  return std::ranges::any_of(patterns,
                             [&](const std::string& pattern) { return matches(pattern, path); });
}

bool is_companion(std::string_view name) {
  const auto depth = std::ranges::count(name, '/');
  return std::ranges::any_of(kCompanions, [&](std::string_view pattern) {
    // `*` would also match what lies in folders.
    return std::ranges::count(pattern, '/') == depth && matches(pattern, name);
  });
}

/// Weights that are no second copy of the model and no addition to one.
bool is_model_weights(std::string_view name) {
  const std::string_view last = name.substr(name.rfind('/') + 1);
  return last.ends_with(kSafetensors) && !last.starts_with("consolidated") &&
         !last.starts_with("adapter");
}

const RepoFile* find_file(const std::vector<RepoFile>& files, const std::string& path) {
  const auto found = std::ranges::find(files, path, &RepoFile::path);
  return found == files.end() ? nullptr : &*found;
}

/// "`a`, `b`, `c` and 4 more"
std::string some_of(const std::vector<std::string_view>& names) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    text += fmt::format("{}`{}`", i == 0 ? "" : ", ", base::escape_controls(names[i]));
  }
  if (names.size() > kShown) text += fmt::format(" and {} more", names.size() - kShown);
  return text;
}

/// Whether a name from the network may stand in a command that is there to be copied.
bool is_plain(std::string_view name) {
  return !name.starts_with('-') && std::ranges::all_of(name, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '/' || c == '+';
  });
}

/// The files that patterns ask for.
class PatternChoice {
 public:
  PatternChoice(const std::vector<RepoFile>& files, const Wishes& wishes, const std::string& repo)
      : files_(files), wishes_(wishes), repo_(repo) {}

  std::vector<RepoFile> files() const {
    for (const std::string& pattern : wishes_.include) require_match(pattern);
    std::vector<RepoFile> chosen;
    for (const RepoFile& file : files_) {
      if (is_allowed(file) && matches_any(wishes_.include, file.path)) chosen.push_back(file);
    }
    return chosen;
  }

 private:
  bool is_allowed(const RepoFile& file) const {
    return wishes_.allow_unsafe || !is_unsafe(file.path);
  }

  void require_match(const std::string& pattern) const {
    std::vector<std::string_view> unsafe;
    for (const RepoFile& file : files_) {
      if (!matches(pattern, file.path)) continue;
      if (is_allowed(file)) return;
      unsafe.push_back(file.path);
    }
    if (unsafe.empty()) refuse(pattern);
    throw base::ModelNotFoundError(
        fmt::format("--include '{}' matches nothing in {} that is safe",
                    base::escape_controls(pattern), repo_),
        fmt::format("what matches can hold code: {}", some_of(unsafe)),
        "--allow-unsafe takes it all the same (it is stored, never opened)");
  }

  [[noreturn]] void refuse(const std::string& pattern) const {
    // Distances to a million names would take longer than the download.
    constexpr std::size_t kMaxCompared = 1000;
    std::vector<std::string> names;
    for (const RepoFile& file : files_) {
      if (names.size() < kMaxCompared) names.push_back(file.path);
    }
    const std::string near = base::nearest(pattern, names);
    throw base::ModelNotFoundError(
        fmt::format("--include '{}' matches nothing in {}", base::escape_controls(pattern), repo_),
        near.empty() ? fmt::format("none of its {} files has such a name", files_.size())
                     : fmt::format("the nearest name is `{}`", base::escape_controls(near)),
        "correct the pattern: it is compared with whole paths, and case matters");
  }

  const std::vector<RepoFile>& files_;
  const Wishes& wishes_;
  const std::string& repo_;
};

/// Weights and companions in one folder.
class FolderChoice {
 public:
  FolderChoice(const std::vector<RepoFile>& files, const Wishes& wishes,
               const std::set<std::string>& shards, const std::string& repo)
      : prefix_(folder_prefix(wishes.subfolder)),
        place_(prefix_.empty() ? repo
                               : fmt::format("`{}` of {}", base::escape_controls(prefix_), repo)),
        shards_(shards) {
    for (const RepoFile& file : files) {
      if (file.path.starts_with(prefix_)) below_.push_back(&file);
    }
    has_index_ = index_to_read(files, wishes) != nullptr;
    assert(!has_index_ || !shards.empty());
  }

  std::vector<RepoFile> files(bool allow_unsafe) const {
    const std::set<std::string_view> weights = weight_paths();
    if (weights.empty()) refuse_weights();
    require_config();
    std::vector<RepoFile> chosen;
    for (const RepoFile* file : below_) {
      const bool wanted = weights.contains(file->path) || is_companion(name_of(*file));
      if (wanted && (allow_unsafe || !is_unsafe(file->path))) chosen.push_back(*file);
    }
    return chosen;
  }

 private:
  std::string_view name_of(const RepoFile& file) const {
    return std::string_view(file.path).substr(prefix_.size());
  }

  static bool is_direct(std::string_view name) { return name.find('/') == std::string_view::npos; }

  std::set<std::string_view> weight_paths() const {
    std::set<std::string_view> all, single;
    for (const RepoFile* file : below_) {
      const std::string_view name = name_of(*file);
      const bool shard = shards_.contains(file->path);
      if (has_index_ ? shard || name == kIndexName : is_direct(name) && is_model_weights(name)) {
        all.insert(file->path);
      }
      if (name == "model.safetensors") single.insert(file->path);
    }
    if (has_index_) require_shards(all);
    return has_index_ || single.empty() ? all : single;
  }

  void require_shards(const std::set<std::string_view>& there) const {
    for (const std::string& shard : shards_) {
      if (there.contains(shard)) continue;
      throw base::ModelNotFoundError(
          fmt::format("a part of the weights is missing in {}", place_),
          fmt::format("{} names `{}`, which is not there", kIndexName,
                      base::escape_controls(shard)),
          "try another revision with NAMESPACE/NAME@REVISION, or tell the owner");
    }
  }

  void require_config() const {
    std::string_view elsewhere;
    for (const RepoFile* file : below_) {
      const std::string_view name = name_of(*file);
      if (name == kConfigName) return;
      if (elsewhere.empty() && name.ends_with("/config.json")) elsewhere = file->path;
    }
    throw base::ModelNotFoundError(
        fmt::format("no config.json in {}", place_), "no model can be read without it",
        elsewhere.empty() ? "choose the files with --include PATTERN to do without"
                          : subfolder_advice(elsewhere));
  }

  static std::string subfolder_advice(std::string_view path) {
    const std::string_view folder = path.substr(0, path.rfind('/'));
    return is_plain(folder) ? fmt::format("--subfolder {} takes the model in there", folder)
                            : "--subfolder FOLDER takes the model of one folder";
  }

  std::vector<std::string_view> paths_ending(std::string_view ending) const {
    std::vector<std::string_view> paths;
    for (const RepoFile* file : below_) {
      if (has_ending(file->path, {&ending, 1})) paths.push_back(file->path);
    }
    std::ranges::sort(paths);
    return paths;
  }

  [[noreturn]] void fail(std::string why, std::string fix) const {
    throw base::ModelNotFoundError(fmt::format("no safetensors weights in {}", place_),
                                   std::move(why), std::move(fix));
  }

  /// Says what there is instead, and how to get it.
  [[noreturn]] void refuse_weights() const {
    if (below_.empty() && !prefix_.empty()) {
      fail("there is no such folder", "give --subfolder as it is written there; case matters");
    }
    refuse_other_safetensors();
    refuse_gguf();
    refuse_pickles();
    fail(fmt::format("none of its {} files holds weights", below_.size()),
         "choose the files with --include PATTERN, or fetch another repository");
  }

  void refuse_other_safetensors() const {
    const std::vector<std::string_view> paths = paths_ending(kSafetensors);
    if (paths.empty()) return;
    const auto model = std::ranges::find_if(paths, is_model_weights);
    if (model != paths.end()) {
      fail(fmt::format("they lie in folders: {}", some_of(paths)), subfolder_advice(*model));
    }
    fail(fmt::format("it holds adapters or consolidated copies alone: {}", some_of(paths)),
         "fetch the model that an adapter belongs to, or take the files with --include "
         "'*.safetensors' --include '*.json'");
  }

  void refuse_gguf() const {
    const std::vector<std::string_view> paths = paths_ending(".gguf");
    if (paths.empty()) return;
    const auto plain = std::ranges::find_if(paths, is_plain);
    const std::string one =
        plain == paths.end() ? "" : fmt::format("take one with --include '{}', ", *plain);
    fail(fmt::format("it holds GGUF files: {}", some_of(paths)),
         fmt::format("{}take all of them with --include '*.gguf'", one));
  }

  void refuse_pickles() const {
    std::vector<std::string_view> paths;
    std::string_view first;
    for (const std::string_view ending : kPickles) {
      const auto some = paths_ending(ending);
      if (paths.empty() && !some.empty()) first = ending;
      paths.insert(paths.end(), some.begin(), some.end());
    }
    if (paths.empty()) return;
    fail(fmt::format("it holds weights that can run code when they are opened: {}", some_of(paths)),
         fmt::format("--allow-unsafe --include '*{}' takes them (they are stored, never opened)",
                     first));
  }

  std::string prefix_, place_;
  const std::set<std::string>& shards_;
  std::vector<const RepoFile*> below_;
  bool has_index_ = false;
};

}  // namespace

const RepoFile* index_to_read(const std::vector<RepoFile>& files, const Wishes& wishes) {
  if (!wishes.include.empty()) return nullptr;
  return find_file(files, folder_prefix(wishes.subfolder) + kIndexName);
}

std::vector<RepoFile> choose_files(const std::vector<RepoFile>& files, const Wishes& wishes,
                                   const std::set<std::string>& shards, const std::string& repo) {
  const std::string shown = base::escape_controls(repo);
  std::vector<RepoFile> chosen =
      wishes.include.empty() ? FolderChoice(files, wishes, shards, shown).files(wishes.allow_unsafe)
                             : PatternChoice(files, wishes, shown).files();
  std::erase_if(chosen,
                [&](const RepoFile& file) { return matches_any(wishes.exclude, file.path); });
  if (chosen.empty()) {
    throw base::ModelNotFoundError(fmt::format("nothing of {} is left to fetch", shown),
                                   "--exclude takes out every file that was chosen",
                                   "leave out --exclude, or give a narrower pattern");
  }
  std::ranges::sort(chosen, {}, &RepoFile::path);
  return chosen;
}

bool is_unsafe(const std::string& path) {
  return has_ending(path, kPickles) || has_ending(path, kPrograms);
}

}  // namespace lq::net

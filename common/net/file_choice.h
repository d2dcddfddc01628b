#pragma once
// Which files of a repository are fetched.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/net/repo_files.h"
#include "common/net/shard_index.h"

namespace lq::net {

struct Wishes {
  std::vector<std::string> include, exclude;  // patterns of wildcard.h
  std::string subfolder;                      // "" = the root; never with include
  bool allow_unsafe = false;                  // also files that can hold code (pickles, scripts)
};

/// The index of a sharded model, which has to be read before the choice can be made; nullptr when
/// there is none or patterns choose.
const RepoFile* index_to_read(const std::vector<RepoFile>& files, const Wishes& wishes);

/// Weights and what belongs to them, or what the patterns ask for, in order of path. `shards`: of
/// the index, where there is one. Throws ModelNotFoundError: a pattern matches nothing, no config,
/// no safetensors weights (naming GGUF files or pickles where those are there, and the option that
/// takes them), a shard that is not in the repository. `repo` is for messages.
std::vector<RepoFile> choose_files(const std::vector<RepoFile>& files, const Wishes& wishes,
                                   const std::set<std::string>& shards, const std::string& repo);

/// Files that can hold code: never taken without allow_unsafe.
bool is_unsafe(const std::string& path);

}  // namespace lq::net

#pragma once
// What a user writes for a repository: `org/name`, `org/name@revision`, `hf://org/name`, a web
// address at the endpoint.

#include <string>
#include <string_view>

namespace lq::net {

struct RepoOperand {
  std::string id;                 // "name" or "namespace/name"
  std::string revision = "main";  // branch, tag, commit or refs/pr/N
  bool revision_given = false;

  bool operator==(const RepoOperand&) const = default;
};

/// Throws UsageError where `text` is none of these, which says what is wrong with it. `endpoint` is
/// the base address without trailing slash.
RepoOperand parse_repo_operand(std::string_view text, const std::string& endpoint);

/// Whether `id` obeys the Hub's rules for names (one or two parts of 1 to 96 characters
/// A-Z a-z 0-9 - _ . that neither start nor end with - or ., without -- and .., not ending in
/// .git).
bool is_repo_id(std::string_view id);

/// The folder of the repository in the shared cache: "models--namespace--name".
std::string cache_folder(const std::string& id);

bool is_commit(std::string_view revision);  // 40 lower-case hex digits

}  // namespace lq::net

#pragma once
// The shared cache of Hub clients:
//
//   <cache>/models--<ns>--<name>/
//     refs/<revision>             the commit, 40 hex digits without newline
//     blobs/<etag>                content, named by its SHA-256 (LFS) or git's SHA-1
//     snapshots/<commit>/<path>   relative link into blobs/ (or the content, without links)
//     trees/<commit>.json         the commit's files
//     lq/<commit>.json            our manifest: a file more in a snapshot would disturb others
//   <cache>/.locks/models--<ns>--<name>/lq-<commit>.lock
//
// Partials are blobs/<etag>.lq.incomplete, with a name that the reference client's pruning knows. A
// blob may be a link into <cache>/blobs, a store that newer clients share; such content is read,
// and never written.

#include "common/net/destination.h"

namespace lq::net {

class HubCache : public Destination {
 public:
  HubCache(std::filesystem::path cache, const std::string& id, std::string commit, bool links);

  std::filesystem::path directory() const override;
  std::filesystem::path manifest() const override;
  std::filesystem::path lock() const override;
  std::filesystem::path tree_record() const override;
  std::vector<std::filesystem::path> candidates(const RepoFile& file) const override;
  std::uint64_t bytes_on_the_way(const RepoFile& file) const override;
  DownloadTask task(const RepoFile& file) override;
  bool adopt(const RepoFile& file, const std::filesystem::path& candidate) override;
  void prepare() override;
  void note_files(const std::vector<RepoFile>& all_files) override;
  bool is_foreign(const RepoFile&, const std::function<void()>&) const override { return false; }
  void remember(const std::string& revision) override;

  /// The commit that a revision stood for when it was last asked for; empty when it was not.
  static std::string cached_commit(const std::filesystem::path& cache, const std::string& id,
                                   const std::string& revision);

 private:
  std::filesystem::path blob(const RepoFile& file) const;
  std::filesystem::path partial(const RepoFile& file) const;
  std::filesystem::path aside(const RepoFile& file, bool per_path, const char* suffix) const;
  void link(const RepoFile& file) const;

  const std::filesystem::path cache_, repo_;
  const std::string commit_;
  const bool links_;
};

}  // namespace lq::net

#pragma once
// A directory of the user's:
//
//   DIR/<path>                                          the files
//   DIR/lq-manifest.json                                written last: the directory is complete
//   DIR/.cache/huggingface/download/<path>.metadata     commit, etag, time: what the reference
//                                                       client knows a file by
//   DIR/.cache/huggingface/download/<path>.<etag>.lq.incomplete, .lq.journal    on their way
//   DIR/.cache/huggingface/trees/<commit>.json, .gitignore, CACHEDIR.TAG, lq.lock

#include "common/net/destination.h"

namespace lq::net {

class PlainDirectory : public Destination {
 public:
  PlainDirectory(std::filesystem::path directory, std::string commit);

  std::filesystem::path directory() const override { return directory_; }
  std::filesystem::path manifest() const override { return manifest_in(directory_); }
  std::filesystem::path lock() const override { return notes_ / "lq.lock"; }
  std::filesystem::path tree_record() const override;
  std::vector<std::filesystem::path> candidates(const RepoFile& file) const override;
  std::uint64_t bytes_on_the_way(const RepoFile& file) const override;
  DownloadTask task(const RepoFile& file) override;
  bool adopt(const RepoFile& file, const std::filesystem::path& candidate) override;
  void prepare() override;
  void note_files(const std::vector<RepoFile>& all_files) override;
  bool is_foreign(const RepoFile& file, const std::function<void()>& keep_going) const override;
  void remember(const std::string&) override {}  // the manifest says it

  /// Also for who does not know the commit yet.
  static std::filesystem::path manifest_in(const std::filesystem::path& directory) {
    return directory / "lq-manifest.json";
  }

 private:
  void write_note(const RepoFile& file) const;
  void remove_other_partials(const std::vector<RepoFile>& all_files) const;
  std::filesystem::path partial_note(const RepoFile& file, const char* suffix) const;
  std::filesystem::path note(const RepoFile& file, const std::string& suffix) const;

  const std::filesystem::path directory_, notes_;  // notes_: DIR/.cache/huggingface
  const std::string commit_;
};

}  // namespace lq::net

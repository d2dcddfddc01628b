#pragma once
// A GGUF model: one file, or the parts of a split one. Opening reads headers only; tensor bytes are
// read when asked for. Thread rule: all members are safe to call at once from several threads.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/gguf/metadata.h"
#include "common/gguf/part.h"
#include "common/io/input_file.h"

namespace lq::gguf {

class Reader {
 public:
  /// `path` is a whole model or any part of a split one; the other parts are looked for beside it.
  /// Throws ModelNotFoundError when a file or a part is missing, ValidationError for everything
  /// that breaks a rule.
  explicit Reader(const std::filesystem::path& path);
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  std::uint32_t version() const { return version_; }
  /// Of the first part, which carries that of the model; the split.* keys of a split model are left
  /// in it.
  const Metadata& metadata() const { return metadata_; }
  /// In the order of the files and, inside a file, of the offsets.
  std::span<const TensorInfo> tensors() const { return tensors_; }
  std::span<const std::filesystem::path> files() const { return paths_; }
  /// Sum of the sizes of all files.
  std::uint64_t file_bytes() const;
  /// nullptr when there is none of that name.
  const TensorInfo* find(std::string_view name) const;

  /// Fills `out` with bytes [offset, offset + out.size()) of the tensor.
  /// REQUIRES: that range lies inside the tensor. Throws ValidationError when the file has become
  /// shorter.
  void read(const TensorInfo& tensor, std::uint64_t offset, std::span<std::byte> out) const;

  /// Bytes delivered by read() so far.
  std::uint64_t bytes_read() const { return bytes_read_; }
  /// What is odd but no error, one sentence each.
  std::span<const std::string> warnings() const { return warnings_; }

 private:
  void open_parts(const std::filesystem::path& path, Part first);
  void add(io::InputFile file, Part part);
  void index_names();

  std::uint32_t version_ = 0;
  Metadata metadata_;
  std::vector<TensorInfo> tensors_;
  std::vector<std::filesystem::path> paths_;
  std::vector<io::InputFile> inputs_;
  std::unordered_map<std::string_view, const TensorInfo*> by_name_;
  std::vector<std::string> warnings_;
  mutable std::atomic<std::uint64_t> bytes_read_ = 0;
};

}  // namespace lq::gguf

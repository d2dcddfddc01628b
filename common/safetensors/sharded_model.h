#pragma once
// Several safetensors files that an index holds together, as one source.

#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/safetensors/index.h"
#include "common/safetensors/reader.h"

namespace lq::safetensors {

class ShardedModel final : public tensor::TensorSource {
 public:
  /// Opens every file of `index` below `dir`. Throws ModelNotFoundError naming what is missing;
  /// ValidationError when a file is broken, a mapped tensor is not where the index says, or an
  /// unmapped one lies in two files.
  ShardedModel(const std::filesystem::path& dir, Index index, Data data);

  std::span<const tensor::TensorInfo> tensors() const override { return tensors_; }
  std::span<const std::filesystem::path> files() const override { return paths_; }
  void read(const tensor::TensorInfo& tensor, std::uint64_t offset,
            std::span<std::byte> out) const override;
  const tensor::TensorInfo* find(std::string_view name) const override;
  std::uint64_t bytes_read() const override;
  std::span<const std::string> warnings() const override { return warnings_; }

 private:
  void open_files(const std::filesystem::path& dir, const std::vector<std::string>& names,
                  Data data);
  void take_tensors(const Index& index, const std::vector<std::string>& names);
  void check_mapped(const Index& index) const;
  void check_total_size(const Index& index);

  std::string subject_;  // "cannot open model DIR"
  std::vector<std::filesystem::path> paths_;
  std::vector<std::unique_ptr<Reader>> shards_;
  std::vector<tensor::TensorInfo> tensors_;
  std::unordered_map<std::string_view, const tensor::TensorInfo*> by_name_;
  std::vector<std::string> warnings_;
};

}  // namespace lq::safetensors

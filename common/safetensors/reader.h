#pragma once
// One safetensors file as a source of tensors. The header is read when the file is opened, the data
// never before somebody asks for it.

#include <atomic>
#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/io/input_file.h"
#include "common/safetensors/header.h"
#include "common/tensor/tensor_source.h"

namespace lq::safetensors {

class Reader final : public tensor::TensorSource {
 public:
  /// Throws ModelNotFoundError when the file cannot be opened, ValidationError when it breaks a
  /// rule of the format.
  /// `warnings` are those that the caller already has; the file's own come after them.
  explicit Reader(const std::filesystem::path& path, Data data = Data::kComplete,
                  std::vector<std::string> warnings = {});
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  std::span<const tensor::TensorInfo> tensors() const override { return header_.tensors; }
  std::span<const std::filesystem::path> files() const override { return {&file_.path(), 1}; }
  void read(const tensor::TensorInfo& tensor, std::uint64_t offset,
            std::span<std::byte> out) const override;
  const tensor::TensorInfo* find(std::string_view name) const override;
  std::uint64_t bytes_read() const override { return bytes_read_; }
  std::span<const std::string> warnings() const override { return warnings_; }

  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }

 private:
  io::InputFile file_;
  Header header_;
  std::vector<std::string> warnings_;
  std::unordered_map<std::string_view, const tensor::TensorInfo*> by_name_;
  mutable std::atomic<std::uint64_t> bytes_read_ = 0;
};

}  // namespace lq::safetensors

#pragma once
// GGUF files of random models, whole or spoilt: the tensors of the conversion in F32, its metadata,
// and changes to both before the file is written.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/codec/codec.h"
#include "common/gguf/layout.h"
#include "common/model/gguf_model.h"
#include "common/tensor/convert.h"
#include "tests/forward/random_model.h"

namespace lq::testing {

inline gguf::Metadata without(const gguf::Metadata& metadata, const std::string& key) {
  gguf::Metadata rest;
  for (const auto& [name, value] : metadata.entries()) {
    if (name != key) rest.set(name, value);
  }
  return rest;
}

struct FileTensor {
  gguf::TensorSpec spec;
  std::string bytes;
};

struct GgufFile {
  gguf::Metadata metadata;
  std::vector<FileTensor> tensors;

  FileTensor& tensor(const std::string& name) {
    const auto at = std::ranges::find(tensors, name, [](const auto& one) { return one.spec.name; });
    if (at == tensors.end()) throw std::out_of_range(name);
    return *at;
  }
  void remove_tensor(const std::string& name) {
    std::erase_if(tensors, [&](const auto& one) { return one.spec.name == name; });
  }
  void remove_key(const std::string& key) { metadata = without(metadata, key); }
  /// Another type or shape; values of 0.
  void replace(const std::string& name, std::vector<std::uint64_t> dims, codec::QuantType type) {
    FileTensor& changed = tensor(name);
    changed.spec = {name, std::move(dims), type};
    changed.bytes.assign(changed.spec.n_bytes(), '\0');
  }
  void add(const std::string& name, const std::vector<float>& values,
           std::vector<std::uint64_t> dims) {
    tensors.push_back({{name, std::move(dims), codec::QuantType::kF32},
                       {reinterpret_cast<const char*>(values.data()), values.size() * 4}});
  }

  std::filesystem::path write(const std::filesystem::path& path) const {
    std::vector<gguf::TensorSpec> specs;
    for (const FileTensor& one : tensors) specs.push_back(one.spec);
    const gguf::Layout layout = gguf::lay_out(metadata, specs);
    std::string bytes(layout.file_bytes, '\0');
    std::ranges::copy(layout.header, reinterpret_cast<std::byte*>(bytes.data()));
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      std::ranges::copy(tensors[i].bytes,
                        bytes.begin() + static_cast<std::ptrdiff_t>(layout.offsets[i]));
    }
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
};

/// The rows of a tensor in the order of the GGUF.
inline std::vector<float> converted_values(const model::Checkpoint& checkpoint,
                                           const model::GgufTensor& tensor) {
  if (!tensor.is_matrix) return model::read_vector(checkpoint, tensor);
  const tensor::TensorInfo& source = *tensor.source;
  std::vector<std::byte> bytes(source.n_bytes);
  checkpoint.weights->read(source, 0, bytes);
  std::vector<float> stored(source.n_elems), values;
  tensor::widen_to_f32(source.dtype, bytes, stored);
  for (std::uint64_t row = 0; row < tensor.n_rows(); ++row) {
    const auto first =
        stored.begin() + static_cast<std::ptrdiff_t>(tensor.source_row(row) * tensor.row_elems());
    values.insert(values.end(), first, first + static_cast<std::ptrdiff_t>(tensor.row_elems()));
  }
  return values;
}

inline GgufFile converted(const model::Checkpoint& checkpoint) {
  GgufFile file;
  file.metadata = model::gguf_metadata(checkpoint, std::nullopt);
  for (const model::GgufTensor& tensor : model::gguf_tensors(checkpoint)) {
    file.add(tensor.name, converted_values(checkpoint, tensor), tensor.dims);
  }
  return file;
}

/// A small random model and its conversion.
struct RandomGguf {
  explicit RandomGguf(const std::string& architecture, const nlohmann::json& keys = {})
      : checkpoint(
            model::open_checkpoint(write_random_model(scratch, random_config(architecture, keys)))),
        file(converted(checkpoint)) {}

  std::filesystem::path write() const { return file.write(scratch.path() / "model.gguf"); }

  const ScratchDirectory scratch;
  const model::Checkpoint checkpoint;
  GgufFile file;
};

}  // namespace lq::testing

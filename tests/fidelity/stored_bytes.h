#pragma once
// Bytes of tensors in files, changed in place: damage that leaves every header right.

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "common/gguf/reader.h"
#include "common/model/checkpoint.h"

namespace lq::testing {

using Bytes = std::vector<std::uint8_t>;

/// The tensors of a directory or a GGUF.
class StoredBytes {
 public:
  explicit StoredBytes(std::filesystem::path model) : model_(std::move(model)) {}

  Bytes get(const std::string& name) const {
    const Place place = find(name);
    Bytes bytes(place.size);
    std::ifstream file(place.file, std::ios::binary);
    file.seekg(static_cast<std::streamoff>(place.offset));
    file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return bytes;
  }
  void set(const std::string& name, const Bytes& bytes) const {
    const Place place = find(name);
    ASSERT_EQ(bytes.size(), place.size) << name;
    std::fstream file(place.file, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(place.offset));
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  void change(const std::string& name, const std::function<void(Bytes&)>& change) const {
    Bytes bytes = get(name);
    change(bytes);
    set(name, bytes);
  }
  void swap(const std::string& a, const std::string& b) const {
    const Bytes of_a = get(a), of_b = get(b);
    set(a, of_b);
    set(b, of_a);
  }
  const std::filesystem::path& model() const { return model_; }

 private:
  struct Place {
    std::filesystem::path file;
    std::uint64_t offset, size;
  };
  Place find(const std::string& name) const {
    if (std::filesystem::is_regular_file(model_)) {
      const gguf::Reader reader(model_);
      const gguf::TensorInfo& tensor = *reader.find(name);
      return {reader.files()[tensor.file], tensor.offset, tensor.n_bytes};
    }
    const model::Checkpoint checkpoint = model::open_checkpoint(model_);
    const tensor::TensorInfo& tensor = *checkpoint.weights->find(name);
    return {checkpoint.weights->files()[tensor.file], tensor.offset, tensor.n_bytes};
  }

  const std::filesystem::path model_;
};

template <class Element>
Element element(const Bytes& bytes, std::size_t i) {
  Element value;
  std::memcpy(&value, bytes.data() + i * sizeof(Element), sizeof(Element));
  return value;
}
template <class Element>
void set_element(Bytes& bytes, std::size_t i, Element value) {
  std::memcpy(bytes.data() + i * sizeof(Element), &value, sizeof(Element));
}

}  // namespace lq::testing

#pragma once
// GGUF files put together field by field, right and wrong ones.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lq::testing {

/// Appends fields in the byte order of the format.
class GgufBytes {
 public:
  template <class T>
  GgufBytes& number(T value) {
    for (const std::byte byte : std::as_bytes(std::span(&value, 1))) {
      bytes_ += static_cast<char>(byte);
    }
    return *this;
  }
  GgufBytes& text(const std::string& text) {
    number<std::uint64_t>(text.size());
    bytes_ += text;
    return *this;
  }
  GgufBytes& raw(const std::string& bytes) {
    bytes_ += bytes;
    return *this;
  }
  GgufBytes& header(std::int64_t n_tensors, std::int64_t n_entries, std::uint32_t version = 3) {
    return raw("GGUF").number(version).number(n_tensors).number(n_entries);
  }
  GgufBytes& tensor(const std::string& name, const std::vector<std::uint64_t>& dims,
                    std::uint32_t type, std::uint64_t offset) {
    text(name).number(static_cast<std::uint32_t>(dims.size()));
    for (const std::uint64_t extent : dims) number(extent);
    return number(type).number(offset);
  }
  /// Zeros to a multiple of `alignment`, then `n_data` bytes of data.
  GgufBytes& data(std::size_t n_data, std::size_t alignment = 32) {
    bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment);
    bytes_.append(n_data, 'd');
    return *this;
  }
  operator const std::string&() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace lq::testing

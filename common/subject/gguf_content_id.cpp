#include "common/subject/gguf_content_id.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/io/digest.h"
#include "common/io/input_file.h"

namespace lq::subject {

std::string gguf_content_id(const gguf::Reader& reader) {
  constexpr std::uint64_t kSampleBytes = 4096;
  io::Digest hash(io::Digest::Algorithm::kSha256);
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < reader.files().size(); ++i) {
    const io::InputFile file(reader.files()[i]);
    std::uint64_t header = file.size();
    for (const gguf::TensorInfo& tensor : reader.tensors()) {
      if (tensor.file == i) header = std::min(header, tensor.offset);
    }
    hash.update(std::to_string(file.size()) + ",");
    bytes.resize(header);
    file.read_at(0, bytes);
    hash.update(bytes);
  }
  for (const gguf::TensorInfo& tensor : reader.tensors()) {
    bytes.resize(std::min(kSampleBytes, tensor.n_bytes));
    const std::uint64_t last = tensor.n_bytes - bytes.size();
    for (const std::uint64_t start : std::array{std::uint64_t{0}, last / 2, last}) {
      reader.read(tensor, start, bytes);
      hash.update(bytes);
    }
  }
  return hash.hex();
}

}  // namespace lq::subject

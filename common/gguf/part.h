#pragma once
// One GGUF file as read: its metadata and where its tensors lie. A model may consist of several
// (reader.h).

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/codec/codec.h"
#include "common/gguf/metadata.h"
#include "common/io/input_file.h"

namespace lq::gguf {

struct TensorInfo {
  std::string name;
  std::vector<std::uint64_t> dims;  // row length first, as the file has them
  codec::QuantType type;
  std::uint64_t n_elems = 0;
  std::uint64_t n_bytes = 0;
  std::size_t file = 0;      // index into Reader::files()
  std::uint64_t offset = 0;  // of the first byte, from the start of that file
};

struct Part {
  std::uint32_t version = 0;
  Metadata metadata;
  std::vector<TensorInfo> tensors;  // in file order, which is that of the offsets
  std::uint64_t alignment = 0;
  std::uint64_t data_offset = 0;  // of the data section
  std::uint64_t data_bytes = 0;   // of all tensors with their padding
};

/// Throws ValidationError for everything that breaks a rule of the format; names in messages are
/// escaped.
Part read_part(const io::InputFile& file);

}  // namespace lq::gguf

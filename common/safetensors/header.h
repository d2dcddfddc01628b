#pragma once
// The header of a safetensors file:
//
//   8 bytes   N, unsigned 64-bit little endian
//   N bytes   JSON object, for each tensor
//               "name": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [begin, end]}
//             and optionally "__metadata__": {"key": "text"}
//   rest      data; offsets count from here, row-major, little endian, packed without gaps
//
// Every rule that a header can break has a message of its own; all are ValidationErrors. White
// space around the object is accepted (writers pad with it).

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/io/input_file.h"
#include "common/tensor/tensor_source.h"

namespace lq::safetensors {

inline constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
/// The Hub's client stops reading here.
inline constexpr std::uint64_t kHubHeaderBytes = 25'000'000;

/// What is demanded of the data behind a header: all of it, or nothing (a directory of headers for
/// inspection).
enum class Data { kComplete, kMayBeMissing };

struct Header {
  std::vector<tensor::TensorInfo>
      tensors;  // by offset; TensorInfo::offset counts from the start of the file
  std::map<std::string, std::string> metadata;
  std::vector<std::string> warnings;
};

/// Reads the first 8 + N bytes. Throws ValidationError naming the file and, where one is to blame,
/// the tensor.
Header read_header(const io::InputFile& file, Data data);

/// The same for the N bytes of a header that are in memory already, of a file of `file_bytes`
/// bytes; `name` stands for the file in messages.
Header parse_header(std::string_view text, std::uint64_t file_bytes, const std::string& name,
                    Data data);

}  // namespace lq::safetensors

#pragma once
// Standard input and the like: bytes that come in order and once.

#include <cstdint>
#include <string>

namespace lq::io {

/// Everything until the end of the stream, unchanged. `subject` ("cannot read the text from
/// standard input") and `fix` stand in its errors: ModelNotFoundError where it cannot be read,
/// ValidationError above `max_bytes`.
std::string read_stream(int fd, std::uint64_t max_bytes, const std::string& subject,
                        const std::string& fix);

}  // namespace lq::io

#pragma once
// The beginning and the end of a file of reference predictions (reference.md): what they are of, and
// the checksum.

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "common/behaviour/predictions.h"
#include "common/io/input_file.h"
#include "common/io/zstd.h"

namespace lq::behaviour {

/// What predictions are of.
struct ReferenceFacts {
  std::string model_name, model_id;  // id: SHA-256 of its content, as in manifests
  std::string protocol, windows_id;  // EvaluationWindows::content_id()
  std::size_t n_positions = 0, vocabulary = 0;
  std::string compute;  // "f32" or "bf16"
};
/// "f32" or "bf16".
std::string compute_name(linalg::Compute compute);
ReferenceFacts facts_of(std::string model_name, std::string model_id, const Predictions& model,
                        const EvaluationWindows& windows, linalg::Compute compute);

/// Of zstd: higher levels gain a few per cent and take several times as long.
inline constexpr int kReferenceLevel = 1;

/// The first frame.
std::vector<std::byte> encode_header(const ReferenceFacts& facts);
/// The last one; `hash` is XXH3 in hex of all bytes before it.
std::vector<std::byte> encode_trailer(const std::string& hash);

/// Reads the whole file. Throws ValidationError where it is none of reference predictions, or
/// damaged.
void require_checksum(const io::InputFile& file);
/// Reads the first frame. Throws ValidationError where it is that of another kind of file.
ReferenceFacts read_header(const std::filesystem::path& path, io::ZstdReader& reader);
/// Where expected.model_id is empty, any model's will do. Throws ValidationError.
void require_facts(const std::filesystem::path& path, const ReferenceFacts& found,
                   const ReferenceFacts& expected);
/// Throws ValidationError.
[[noreturn]] void refuse_damaged_reference(const std::filesystem::path& path, std::string why);

}  // namespace lq::behaviour

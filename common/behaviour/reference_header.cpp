#include "common/behaviour/reference_header.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/xxh3.h"

namespace lq::behaviour {
namespace {

constexpr std::string_view kMagic = "lqrefpre", kSchema = "lq-reference/1";
constexpr std::uint32_t kMostHeader = 1U << 20U;
constexpr unsigned char kZstdMagic[] = {0x28, 0xB5, 0x2F, 0xFD};
constexpr std::size_t kHashDigits = 32;
constexpr unsigned char kTrailerHead[] = {0x50, 0x2A, 0x4D, 0x18, kHashDigits, 0, 0, 0};

[[noreturn]] void refuse(const std::filesystem::path& path, std::string why, std::string fix) {
  throw base::ValidationError(
      fmt::format("cannot use the reference predictions in {}", base::shown(path)), std::move(why),
      std::move(fix));
}

[[noreturn]] void refuse_foreign(const std::filesystem::path& path) {
  refuse(path, "it is no file of reference predictions", "name one that --save-reference made");
}

}  // namespace

void refuse_damaged_reference(const std::filesystem::path& path, std::string why) {
  refuse(path, std::move(why), "the file is damaged: make it again with --save-reference");
}

std::string compute_name(linalg::Compute compute) {
  return compute == linalg::Compute::kBf16 ? "bf16" : "f32";
}

ReferenceFacts facts_of(std::string model_name, std::string model_id, const Predictions& model,
                        const EvaluationWindows& windows, linalg::Compute compute) {
  return {.model_name = std::move(model_name),
          .model_id = std::move(model_id),
          .protocol = windows.protocol,
          .windows_id = windows.content_id(),
          .n_positions = model.n_positions(),
          .vocabulary = model.vocabulary(),
          .compute = compute_name(compute)};
}

std::vector<std::byte> encode_header(const ReferenceFacts& facts) {
  const nlohmann::ordered_json header = {
      {"schema", kSchema},
      {"model", {{"name", facts.model_name}, {"content_id", facts.model_id}}},
      {"windows",
       {{"protocol", facts.protocol}, {"id", facts.windows_id}, {"positions", facts.n_positions}}},
      {"vocabulary", facts.vocabulary},
      {"compute", facts.compute}};
  const std::string text = header.dump();
  std::vector<std::byte> bytes(kMagic.size() + sizeof(std::uint32_t) + text.size());
  std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
  const auto size = static_cast<std::uint32_t>(text.size());
  std::memcpy(bytes.data() + kMagic.size(), &size, sizeof size);
  std::memcpy(bytes.data() + kMagic.size() + sizeof(std::uint32_t), text.data(), text.size());
  return io::zstd_frame(bytes, kReferenceLevel);
}

std::vector<std::byte> encode_trailer(const std::string& hash) {
  std::vector<std::byte> bytes(sizeof kTrailerHead + hash.size());
  std::memcpy(bytes.data(), kTrailerHead, sizeof kTrailerHead);
  std::memcpy(bytes.data() + sizeof kTrailerHead, hash.data(), hash.size());
  return bytes;
}

void require_checksum(const io::InputFile& file) {
  std::array<unsigned char, sizeof kZstdMagic> begin{};
  if (file.size() < begin.size()) refuse_foreign(file.path());
  file.read_at(0, std::as_writable_bytes(std::span(begin)));
  if (!std::ranges::equal(begin, kZstdMagic)) refuse_foreign(file.path());
  std::string trailer(sizeof kTrailerHead + kHashDigits, '\0');
  if (file.size() < trailer.size())
    refuse_damaged_reference(file.path(), "it has no checksum at its end");
  const std::uint64_t end = file.size() - trailer.size();
  file.read_at(end, std::as_writable_bytes(std::span(trailer)));
  if (std::memcmp(trailer.data(), kTrailerHead, sizeof kTrailerHead) != 0) {
    refuse_damaged_reference(file.path(), "it has no checksum at its end");
  }
  io::Xxh3 hash;
  std::vector<std::byte> piece(std::size_t{1} << 20U);
  for (std::uint64_t at = 0; at < end; at += piece.size()) {
    const auto part = std::span(piece).first(std::min<std::uint64_t>(piece.size(), end - at));
    file.read_at(at, part);
    hash.update(part);
  }
  if (hash.hex() != trailer.substr(sizeof kTrailerHead)) {
    refuse_damaged_reference(file.path(), "its content does not have the checksum at its end");
  }
}

ReferenceFacts read_header(const std::filesystem::path& path, io::ZstdReader& reader) {
  std::string magic(kMagic.size(), '\0');
  reader.read(std::as_writable_bytes(std::span(magic)));
  if (magic != kMagic) refuse_foreign(path);
  std::uint32_t size = 0;
  reader.read(std::as_writable_bytes(std::span(&size, 1)));
  if (size > kMostHeader) refuse_damaged_reference(path, "its header is too long");
  std::string text(size, '\0');
  reader.read(std::as_writable_bytes(std::span(text)));
  reader.finish_frame();
  try {
    const auto header = nlohmann::json::parse(text);
    if (header.at("schema") != kSchema) {
      refuse(path, fmt::format("it is of another format than {}", kSchema),
             "make it again with --save-reference of this version");
    }
    return {.model_name = header.at("model").at("name"),
            .model_id = header.at("model").at("content_id"),
            .protocol = header.at("windows").at("protocol"),
            .windows_id = header.at("windows").at("id"),
            .n_positions = header.at("windows").at("positions"),
            .vocabulary = header.at("vocabulary"),
            .compute = header.at("compute")};
  } catch (const nlohmann::json::exception&) {
    refuse_damaged_reference(path, "its header is not what a reference has");
  }
}

void require_facts(const std::filesystem::path& path, const ReferenceFacts& found,
                   const ReferenceFacts& expected) {
  constexpr const char* kOther = "name the reference of this run, or make it: --save-reference";
  if (!expected.model_id.empty() && found.model_id != expected.model_id) {
    refuse(path,
           fmt::format("they are of another model, {}, or of another state of it",
                       base::escape_controls(found.model_name)),
           kOther);
  }
  if (found.protocol != expected.protocol) {
    refuse(path,
           fmt::format("they are of the protocol {}, this run has {}",
                       base::escape_controls(found.protocol), expected.protocol),
           kOther);
  }
  if (found.windows_id != expected.windows_id || found.n_positions != expected.n_positions) {
    refuse(path, "they are of another text or of other windows", kOther);
  }
  if (found.vocabulary != expected.vocabulary) {
    refuse(path,
           fmt::format("they are among {} tokens, the model has {}", found.vocabulary,
                       expected.vocabulary),
           kOther);
  }
  if (found.compute == expected.compute) return;
  refuse(path,
         fmt::format("they were computed in {}, this run computes in {}",
                     base::escape_controls(found.compute), expected.compute),
         fmt::format("give --compute {}, or make them again: --save-reference",
                     found.compute == "f32" ? "f32" : "bf16"));
}

}  // namespace lq::behaviour

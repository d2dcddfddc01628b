#include "common/stage/scratch_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fmt/format.h>
#include <random>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/digest.h"
#include "common/io/file_status.h"
#include "common/io/output_error.h"

namespace lq::stage {
namespace {

constexpr std::string_view kMagic = "lqscrat1";
constexpr std::string_view kTemporary = ".lq-tmp.";
constexpr std::size_t kHashDigits = 32;
static_assert(kScratchTrailerBytes == kMagic.size() + 2 * kHashDigits);

std::string hash_of_tag(const std::string& tag) {
  return io::sha256_hex(std::as_bytes(std::span(tag))).substr(0, kHashDigits);
}

std::string trailer_of(const std::string& tag_hash, const io::Xxh3& hash) {
  return std::string(kMagic) + tag_hash + hash.hex();
}

/// Of this writer alone: processes of several machines may share a folder.
std::filesystem::path temporary_of(const std::filesystem::path& path) {
  std::random_device random;
  return path.parent_path() /
         fmt::format(".{}{}{:08x}{:08x}", path.filename().string(), kTemporary, random(), random());
}

}  // namespace

ScratchWriter::ScratchWriter(std::filesystem::path path, const std::string& tag)
    : path_(std::move(path)), tag_hash_(hash_of_tag(tag)) {
  std::error_code ignored;
  std::filesystem::create_directories(path_.parent_path(), ignored);
  file_.emplace(temporary_of(path_));
}

ScratchWriter::~ScratchWriter() {
  if (file_) ::unlink(file_->path().c_str());
}

void ScratchWriter::write(std::span<const std::byte> bytes) {
  file_->write_at(size_, bytes);
  hash_.update(bytes);
  size_ += bytes.size();
}

void ScratchWriter::finish() {
  const std::string trailer = trailer_of(tag_hash_, hash_);
  file_->write_at(size_, std::as_bytes(std::span(trailer)));
  if (::rename(file_->path().c_str(), path_.c_str()) != 0) {
    throw io::output_error(fmt::format("cannot write {}", base::shown(path_)), errno, path_);
  }
  file_.reset();
}

void remove_scratch_temporaries(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> found;
  for (std::filesystem::recursive_directory_iterator entry(folder, error), end; entry != end;
       entry.increment(error)) {
    if (entry->path().filename().string().find(kTemporary) != std::string::npos) {
      found.push_back(entry->path());
    }
  }
  for (const std::filesystem::path& path : found) std::filesystem::remove(path, error);
}

std::string scratch_trailer(std::span<const std::byte> content, const std::string& tag) {
  io::Xxh3 hash;
  hash.update(content);
  return trailer_of(hash_of_tag(tag), hash);
}

std::optional<ScratchReader> ScratchReader::open(const std::filesystem::path& path,
                                                 const std::string& tag) {
  const auto status = io::file_status(path);
  if (!status || !status->is_regular || status->size < kScratchTrailerBytes) return std::nullopt;
  try {
    io::InputFile file(path);
    const std::uint64_t size = file.size() - kScratchTrailerBytes;
    std::string trailer(kScratchTrailerBytes, '\0');
    file.read_at(size, std::as_writable_bytes(std::span(trailer)));
    if (!trailer.starts_with(std::string(kMagic) + hash_of_tag(tag))) return std::nullopt;
    std::vector<std::byte> block(std::size_t{1} << 20);
    io::Xxh3 hash;
    for (std::uint64_t done = 0; done < size;) {
      const auto piece = std::span(block).first(std::min<std::uint64_t>(block.size(), size - done));
      file.read_at(done, piece);
      hash.update(piece);
      done += piece.size();
    }
    if (!trailer.ends_with(hash.hex())) return std::nullopt;
    return ScratchReader(std::move(file), size);
  } catch (const base::QuantizationError&) {
    return std::nullopt;  // gone meanwhile, or unreadable: as good as not there
  }
}

}  // namespace lq::stage

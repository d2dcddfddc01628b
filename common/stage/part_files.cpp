#include "common/stage/part_files.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/text.h"
#include "common/io/atomic_file.h"
#include "common/io/file_status.h"
#include "common/io/output_error.h"
#include "common/io/xxh3.h"

namespace lq::stage {
namespace {

void make_directories(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) return;
  throw io::output_error(fmt::format("cannot create {}", base::shown(path)), error.value(), path);
}

}  // namespace

PartFiles::PartFiles(const ResultPlan& result, const ResultPaths& paths,
                     const ResultLayout& layout) {
  if (result.kind == ResultKind::kDirectory) make_directories(paths.part);
  if (!result.scratch.empty()) make_directories(paths.part / result.scratch);
  paths_ = paths.parts;
  files_.resize(paths_.size());
  for (std::size_t file = 0; file < paths_.size(); ++file) {
    if (result.kind == ResultKind::kDirectory) make_directories(paths_[file].parent_path());
    if (result.files[file].is_open()) continue;
    files_[file].emplace(paths_[file]);
    files_[file]->allocate(result.files[file].size);
  }
  for (const Extent& gap : layout.gaps) files_[gap.file]->write_zeros(gap.offset, gap.size);
}

void PartFiles::write(const Extent& extent, std::span<const std::byte> bytes) {
  std::optional<io::OutputFile>& file = files_[extent.file];
  if (extent.size != kOpenSize) {
    file->write_at(extent.offset, bytes);
    return;
  }
  io::AtomicFile whole(paths_[extent.file]);
  whole.write(bytes);
  whole.commit();
  file.reset();
  file.emplace(paths_[extent.file]);
}

std::string PartFiles::hash_of(const Extent& extent) {
  std::optional<io::OutputFile>& file = files_[extent.file];
  std::uint64_t size = extent.size;
  if (size == kOpenSize) {
    const auto status = io::file_status(paths_[extent.file]);
    if (!status) return "";
    size = status->size;
    file.reset();
    file.emplace(paths_[extent.file]);
  }
  std::vector<std::byte> block(std::min<std::uint64_t>(size, 1 << 20));
  io::Xxh3 hash;
  for (std::uint64_t done = 0; done < size;) {
    const auto piece = std::span(block).first(std::min(block.size(), size - done));
    file->read_at(extent.offset + done, piece);
    hash.update(piece);
    done += piece.size();
  }
  return hash.hex();
}

void PartFiles::sync(std::size_t file) const {
  if (files_[file]) files_[file]->sync();
}

void PartFiles::sync_all() const {
  for (std::size_t file = 0; file < files_.size(); ++file) sync(file);
}

}  // namespace lq::stage

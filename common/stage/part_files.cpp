#include "common/stage/part_files.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/text.h"
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
  for (std::size_t file = 0; file < paths.parts.size(); ++file) {
    if (result.kind == ResultKind::kDirectory) make_directories(paths.parts[file].parent_path());
    files_.emplace_back(paths.parts[file]);
    files_.back().allocate(result.files[file].size);
  }
  for (const Extent& gap : layout.gaps) files_[gap.file].write_zeros(gap.offset, gap.size);
}

void PartFiles::write(const Extent& extent, std::span<const std::byte> bytes) {
  files_[extent.file].write_at(extent.offset, bytes);
}

std::string PartFiles::hash_of(const Extent& extent) const {
  std::vector<std::byte> block(std::min<std::uint64_t>(extent.size, 1 << 20));
  io::Xxh3 hash;
  for (std::uint64_t done = 0; done < extent.size;) {
    const auto piece = std::span(block).first(std::min(block.size(), extent.size - done));
    files_[extent.file].read_at(extent.offset + done, piece);
    hash.update(piece);
    done += piece.size();
  }
  return hash.hex();
}

void PartFiles::sync_all() const {
  for (const io::OutputFile& file : files_) file.sync();
}

}  // namespace lq::stage

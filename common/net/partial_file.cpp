#include "common/net/partial_file.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/base/errors.h"
#include "common/io/atomic_file.h"
#include "common/io/file_status.h"
#include "common/io/json_file.h"

namespace lq::net {
namespace {

constexpr int kFormat = 1;
constexpr std::chrono::seconds kSaveEvery(1);

/// Nothing where the journal is not one of this file, or names bytes that the partial cannot have.
ByteRanges read_journal(const RepoFile& file, const std::filesystem::path& partial,
                        const std::filesystem::path& journal) {
  const auto status = io::file_status(partial);
  if (!status || !status->is_regular || status->size != file.size) return {};
  if (!io::file_status(journal)) return {};
  nlohmann::json record;
  try {
    record = io::read_json_file(journal);
  } catch (const base::QuantizationError&) {
    return {};
  }
  const auto number = [](const nlohmann::json& value) {
    return value.is_number_unsigned() ? value.get<std::uint64_t>() : ~std::uint64_t{0};
  };
  if (!record.is_object() || record.value("format", nlohmann::json()) != kFormat ||
      record.value("size", nlohmann::json()) != file.size ||
      record.value("etag", nlohmann::json()) != file.etag() || !record.contains("done") ||
      !record["done"].is_array()) {
    return {};
  }
  ByteRanges done;
  for (const nlohmann::json& range : record["done"]) {
    if (!range.is_array() || range.size() != 2) return {};
    const Extent extent{number(range[0]), number(range[1])};
    if (extent.begin >= extent.end || extent.end > file.size) return {};
    done.add(extent);
  }
  return done;
}

/// A partial that shares its content with another file (a link that a killed run left) is not
/// written.
std::filesystem::path own(const std::filesystem::path& partial) {
  std::error_code none;
  if (std::filesystem::hard_link_count(partial, none) > 1 && !none) {
    std::filesystem::remove(partial);
  }
  return partial;
}

}  // namespace

PartialFile::PartialFile(const RepoFile& file, std::filesystem::path partial,
                         std::filesystem::path journal)
    : file_(file),
      journal_(std::move(journal)),
      data_(own(partial)),
      done_(read_journal(file, partial, journal_)),
      saved_(std::chrono::steady_clock::now()),
      saved_bytes_(done_.total()) {
  if (saved_bytes_ == 0) std::filesystem::remove(journal_);  // of another file, or of none
  data_.allocate(file.size);
}

std::uint64_t PartialFile::bytes_kept(const RepoFile& file, const std::filesystem::path& partial,
                                      const std::filesystem::path& journal) {
  return read_journal(file, partial, journal).total();
}

void PartialFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  data_.write_at(offset, bytes);
  const std::lock_guard lock(mutex_);
  done_.add({offset, offset + bytes.size()});
}

ByteRanges PartialFile::done() const {
  const std::lock_guard lock(mutex_);
  return done_;
}

std::uint64_t PartialFile::prefix() const {
  const std::lock_guard lock(mutex_);
  return done_.prefix();
}

void PartialFile::save() {
  const std::lock_guard saving(saving_);
  save_now();
}

void PartialFile::save_now() {
  const ByteRanges done = this->done();
  if (done.total() == saved_bytes_) return;
  data_.sync();
  nlohmann::ordered_json record = {
      {"format", kFormat}, {"size", file_.size}, {"etag", file_.etag()}};
  auto& ranges = record["done"] = nlohmann::ordered_json::array();
  for (const Extent& extent : done.ranges()) ranges.push_back({extent.begin, extent.end});
  io::write_file_atomically(journal_, record.dump() + "\n");
  saved_ = std::chrono::steady_clock::now();
  saved_bytes_ = done.total();
}

void PartialFile::save_if_due() {
  const std::unique_lock saving(saving_, std::try_to_lock);
  if (saving && std::chrono::steady_clock::now() - saved_ >= kSaveEvery) save_now();
}

void PartialFile::discard() {
  const std::lock_guard saving(saving_);
  std::filesystem::remove(journal_);
  const std::lock_guard lock(mutex_);
  done_.clear();
  saved_bytes_ = 0;
}

void PartialFile::finish() { std::filesystem::remove(journal_); }

}  // namespace lq::net

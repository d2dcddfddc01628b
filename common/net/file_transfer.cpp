#include "common/net/file_transfer.h"

#include <algorithm>
#include <filesystem>

namespace lq::net {

bool FileTransfer::is_open() const {
  const std::lock_guard lock(mutex_);
  return partial_ != nullptr;
}

bool FileTransfer::is_published() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

void FileTransfer::open(std::uint64_t segment_bytes, bool resume) {
  auto partial = std::make_unique<PartialFile>(file(), task_->partial, task_->journal);
  if (!resume) partial->discard();
  const std::lock_guard lock(mutex_);
  segment_bytes_ = has_journal() ? segment_bytes : kSmallFile;
  taken_ = partial->done();
  hash_ = std::make_unique<ContentHash>(file());
  hashed_ = 0;
  partial_ = std::move(partial);
}

std::optional<Extent> FileTransfer::take_piece() {
  const std::lock_guard lock(mutex_);
  const std::optional<Extent> piece = taken_.first_missing(file().size, segment_bytes_);
  if (!piece) return {};
  taken_.add(*piece);
  ++at_work_;
  return piece;
}

void FileTransfer::end_piece() {
  const std::lock_guard lock(mutex_);
  --at_work_;
}

std::optional<Url> FileTransfer::direct() const {
  const std::lock_guard lock(mutex_);
  return direct_;
}

void FileTransfer::set_direct(std::optional<Url> direct) {
  const std::lock_guard lock(mutex_);
  direct_ = std::move(direct);
}

bool FileTransfer::take_whole() {
  const std::lock_guard lock(mutex_);
  if (whole_by_ == std::thread::id()) whole_by_ = std::this_thread::get_id();
  taken_.add({0, file().size});
  return whole_by_ == std::this_thread::get_id();
}

bool FileTransfer::is_wanted() const {
  const std::lock_guard lock(mutex_);
  return whole_by_ == std::thread::id() || whole_by_ == std::this_thread::get_id();
}

std::uint64_t FileTransfer::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  const std::uint64_t have = partial_->prefix();
  const std::uint64_t old =
      have > offset ? std::min<std::uint64_t>(have - offset, bytes.size()) : 0;
  const auto fresh = bytes.subspan(static_cast<std::size_t>(old));
  if (fresh.empty()) return 0;
  partial_->write(offset + old, fresh);
  if (has_journal()) partial_->save_if_due();
  return fresh.size();
}

bool FileTransfer::hash_some(std::span<std::byte> buffer) {
  const std::uint64_t n = std::min<std::uint64_t>(buffer.size(), partial_->prefix() - hashed_);
  if (n == 0) return false;
  const auto bytes = buffer.first(static_cast<std::size_t>(n));
  partial_->read(hashed_, bytes);
  hash_->update(bytes);
  hashed_ += n;
  return true;
}

bool FileTransfer::is_complete() const {
  if (hashed_ < file().size) return false;
  const std::lock_guard lock(mutex_);
  return at_work_ == 0;
}

void FileTransfer::publish() {
  partial_->sync();
  task_->publish();
  partial_->finish();
  const std::lock_guard lock(mutex_);
  partial_.reset();
  published_ = true;
}

int FileTransfer::discard() {
  partial_->discard();
  std::filesystem::remove(task_->partial);
  const std::lock_guard lock(mutex_);
  partial_.reset();
  whole_by_ = {};
  direct_.reset();
  return ++times_discarded_;
}

void FileTransfer::save() {
  if (partial_ != nullptr && has_journal()) partial_->save();
}

}  // namespace lq::net

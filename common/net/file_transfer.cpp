#include "common/net/file_transfer.h"

#include <algorithm>
#include <filesystem>

namespace lq::net {

FileTransfer::FileTransfer(const DownloadTask& task, std::uint64_t segment_bytes, bool resume)
    : task_(task), segment_bytes_(task.file.size > kSmallFile ? segment_bytes : kSmallFile) {
  begin();
  if (resume) return;
  partial_->discard();
  taken_.clear();
}

void FileTransfer::begin() {
  partial_ = std::make_unique<PartialFile>(file(), task_.partial, task_.journal);
  taken_ = partial_->done();
  hash_ = std::make_unique<ContentHash>(file());
  hashed_ = 0;
  n_pieces_ = 0;
  oldest_wanted_ = next_piece_;
  whole_by_ = 0;
  direct_.reset();
}

std::optional<Url> FileTransfer::direct() const {
  const std::lock_guard lock(mutex_);
  return direct_;
}

void FileTransfer::set_direct(std::optional<Url> direct) {
  const std::lock_guard lock(mutex_);
  direct_ = std::move(direct);
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
  return n_pieces_ == 0;
}

void FileTransfer::publish() {
  partial_->sync();
  task_.publish();
  partial_->finish();
}

void FileTransfer::restart() {
  const std::lock_guard lock(mutex_);
  partial_->discard();
  ++times_restarted_;
  begin();
}

void FileTransfer::abandon() {
  partial_->discard();
  std::filesystem::remove(task_.partial);
}

void FileTransfer::save() {
  if (has_journal()) partial_->save();
}

std::optional<Piece> Piece::take(const std::shared_ptr<FileTransfer>& transfer) {
  FileTransfer& file = *transfer;
  const std::lock_guard lock(file.mutex_);
  const auto extent = file.taken_.first_missing(file.file().size, file.segment_bytes_);
  if (!extent) return {};
  file.taken_.add(*extent);
  ++file.n_pieces_;
  return Piece(transfer, *extent, file.next_piece_++);
}

Piece::~Piece() {
  if (transfer_ == nullptr) return;
  const std::lock_guard lock(transfer_->mutex_);
  if (is_wanted_locked()) --transfer_->n_pieces_;
}

bool Piece::is_wanted_locked() const {
  return number_ >= transfer_->oldest_wanted_ &&
         (transfer_->whole_by_ == 0 || transfer_->whole_by_ == number_);
}

bool Piece::is_wanted() const {
  const std::lock_guard lock(transfer_->mutex_);
  return is_wanted_locked();
}

bool Piece::take_whole() {
  std::unique_lock lock(transfer_->mutex_);
  if (!is_wanted_locked()) return false;
  transfer_->whole_by_ = number_;
  transfer_->n_pieces_ = 1;
  transfer_->taken_.add({0, transfer_->file().size});
  transfer_->written_.wait(lock, [this] { return transfer_->n_writes_ == 0; });
  left_ = {0, transfer_->file().size};
  return true;
}

std::optional<std::uint64_t> Piece::write(std::span<const std::byte> bytes) {
  {
    const std::lock_guard lock(transfer_->mutex_);
    if (!is_wanted_locked()) return {};
    ++transfer_->n_writes_;
  }
  struct End {  // also where writing throws
    FileTransfer& transfer;
    ~End() {
      const std::lock_guard lock(transfer.mutex_);
      if (--transfer.n_writes_ == 0) transfer.written_.notify_all();
    }
  } end{*transfer_};
  PartialFile& partial = *transfer_->partial_;
  const std::uint64_t have = partial.prefix();
  const std::uint64_t old =
      have > left_.begin ? std::min<std::uint64_t>(have - left_.begin, bytes.size()) : 0;
  const auto fresh = bytes.subspan(static_cast<std::size_t>(old));
  if (!fresh.empty()) {
    partial.write(left_.begin + old, fresh);
    if (transfer_->has_journal()) partial.save_if_due();
  }
  left_.begin += bytes.size();
  return fresh.size();
}

}  // namespace lq::net

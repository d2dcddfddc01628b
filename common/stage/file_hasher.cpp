#include "common/stage/file_hasher.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>

namespace lq::stage {

FileHasher::FileHasher() : thread_([this] { run(); }) {}

FileHasher::~FileHasher() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::size_t FileHasher::add_file(const io::OutputFile& file, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  files_.push_back({.file = &file, .size = size});
  if (size == 0) files_.back().hex = files_.back().hash->hex();
  return files_.size() - 1;
}

void FileHasher::finished(std::size_t file, std::uint64_t offset, std::uint64_t size) {
  if (size == 0) return;
  {
    const std::lock_guard lock(mutex_);
    files_[file].ready.emplace(offset, size);
  }
  changed_.notify_all();
}

std::string FileHasher::wait(std::size_t file, const std::function<void()>& keep_waiting) {
  std::unique_lock lock(mutex_);
  while (!error_ && files_[file].hex.empty()) {
    changed_.wait_for(lock, std::chrono::milliseconds(50));
    lock.unlock();
    keep_waiting();
    lock.lock();
  }
  if (error_) std::rethrow_exception(error_);
  return files_[file].hex;
}

std::optional<std::size_t> FileHasher::next_file() const {
  for (std::size_t index = 0; index < files_.size(); ++index) {
    const File& file = files_[index];
    if (!file.ready.empty() && file.ready.begin()->first == file.position) return index;
  }
  return std::nullopt;
}

void FileHasher::run() {
  std::vector<std::byte> block(std::size_t{1} << 20);
  std::unique_lock lock(mutex_);
  while (true) {
    std::optional<std::size_t> index;
    changed_.wait(lock, [&] { return ended_ || (index = next_file()).has_value(); });
    if (ended_) return;
    File& file = files_[*index];
    const auto [offset, size] = *file.ready.begin();
    file.ready.erase(file.ready.begin());
    const std::uint64_t taken = std::min<std::uint64_t>(size, block.size());
    if (taken < size) file.ready.emplace(offset + taken, size - taken);
    const io::OutputFile& source = *file.file;
    io::Digest& hash = *file.hash;
    lock.unlock();
    std::exception_ptr error;
    try {
      const auto bytes = std::span(block).first(taken);
      source.read_at(offset, bytes);
      hash.update(bytes);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    // add_file() may have moved the entries meanwhile.
    File& same = files_[*index];
    same.position += taken;
    if (same.position == same.size && !error) same.hex = same.hash->hex();
    if (error) error_ = error;
    if (!same.hex.empty() || error_) changed_.notify_all();
    if (error_) return;
  }
}

}  // namespace lq::stage

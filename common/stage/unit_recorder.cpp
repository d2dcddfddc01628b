#include "common/stage/unit_recorder.h"

#include <set>
#include <utility>

namespace lq::stage {
namespace {

constexpr std::size_t kQueueUnits = 64;

}  // namespace

UnitRecorder::UnitRecorder(std::vector<RecordTarget> targets,
                           std::function<void(const UnitRecord&)> recorded)
    : targets_(std::move(targets)), recorded_(std::move(recorded)), thread_([this] { run(); }) {}

UnitRecorder::~UnitRecorder() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void UnitRecorder::add(UnitRecord record) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return error_ || waiting_.size() < kQueueUnits; });
  if (error_) std::rethrow_exception(error_);
  waiting_.push_back(std::move(record));
  changed_.notify_all();
}

void UnitRecorder::drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return error_ || (waiting_.empty() && !busy_); });
  if (error_) std::rethrow_exception(error_);
}

void UnitRecorder::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
    if (ended_) return;
    std::vector<UnitRecord> group = std::exchange(waiting_, {});
    busy_ = true;
    changed_.notify_all();
    lock.unlock();
    std::exception_ptr error;
    try {
      record(group);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    busy_ = false;
    if (error) error_ = error;
    changed_.notify_all();
    if (error_) return;
  }
}

void UnitRecorder::record(const std::vector<UnitRecord>& group) {
  std::set<std::pair<std::size_t, std::size_t>> files;
  std::vector<std::vector<FinishedUnit>> lines(targets_.size());
  for (const UnitRecord& unit : group) {
    for (const UnitRecord::Piece& piece : unit.pieces) {
      files.emplace(piece.result, piece.finished.file);
      lines[piece.result].push_back(piece.finished);
    }
  }
  for (const auto& [result, file] : files) targets_[result].part->sync(file);
  for (std::size_t result = 0; result < lines.size(); ++result) {
    if (!lines[result].empty()) targets_[result].journal->append(lines[result]);
  }
  for (const UnitRecord& unit : group) recorded_(unit);
}

}  // namespace lq::stage

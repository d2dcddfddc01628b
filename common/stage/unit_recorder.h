#pragma once
// Makes finished units durable: one thread takes all units that wait, syncs the part files once for
// the whole group, then appends their lines to the journals. Workers go on meanwhile; the queue is
// bounded, so that a slow disk slows the workers down instead of letting unrecorded work pile up.

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "common/stage/journal.h"
#include "common/stage/part_files.h"

namespace lq::stage {

/// Where the finished extents of one result go.
struct RecordTarget {
  PartFiles* part = nullptr;
  JournalWriter* journal = nullptr;
};

struct UnitRecord {
  std::size_t unit = 0;  // index into Plan::units
  double seconds = 0;
  struct Piece {
    std::size_t result = 0;
    FinishedUnit finished;
  };
  std::vector<Piece> pieces;
};

class UnitRecorder {
 public:
  /// `targets` by result; `recorded` is called for each durable unit, from the recorder's thread.
  UnitRecorder(std::vector<RecordTarget> targets, std::function<void(const UnitRecord&)> recorded);
  /// Abandons what waits.
  ~UnitRecorder();
  UnitRecorder(const UnitRecorder&) = delete;
  UnitRecorder& operator=(const UnitRecorder&) = delete;

  /// Waits while the queue is full. Throws what went wrong when recording.
  void add(UnitRecord record);
  /// Returns when everything added so far is durable. Throws what went wrong.
  void drain();

 private:
  void run();
  void record(const std::vector<UnitRecord>& group);

  std::vector<RecordTarget> targets_;
  std::function<void(const UnitRecord&)> recorded_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<UnitRecord> waiting_;
  bool busy_ = false, ended_ = false;
  std::exception_ptr error_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace lq::stage

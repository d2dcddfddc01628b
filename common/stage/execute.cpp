#include "common/stage/execute.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fmt/format.h>
#include <mutex>
#include <new>
#include <stdexcept>
#include <thread>

#include "common/base/text.h"
#include "common/io/xxh3.h"
#include "common/parallel/memory.h"
#include "common/parallel/parallel_for.h"
#include "common/stage/unit_recorder.h"

namespace lq::stage {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Writes one unit's bytes where the plan wants them, and remembers their hashes for the journal.
class PartSink final : public UnitSink {
 public:
  PartSink(const Plan& plan, const std::vector<ResultRun*>& runs, std::size_t unit)
      : name_(plan.units[unit].name) {
    for (ResultRun* run : runs) {
      if (const auto number = run->wanted(unit)) places_.push_back({run, *number, false});
    }
  }

  bool wanted(std::size_t result) const override {
    for (const Place& place : places_) {
      if (place.run->index == result) return true;
    }
    return false;
  }

  void write(std::size_t result, std::span<const std::byte> bytes) override {
    for (Place& place : places_) {
      if (place.run->index != result) continue;
      const Extent& extent = place.run->layout.units[place.number].extent;
      require(extent.size == kOpenSize || bytes.size() == extent.size,
              "has another size than planned");
      require(!place.written, "was written twice");
      place.run->part->write(extent, bytes);
      place.written = true;
      record_.pieces.push_back({result,
                                {.file = extent.file,
                                 .offset = extent.offset,
                                 .size = bytes.size(),
                                 .xxh3 = io::xxh3_hex(bytes)}});
    }
  }

  UnitRecord take_record() {
    for (const Place& place : places_) require(place.written, "was not written");
    return std::move(record_);
  }

 private:
  struct Place {
    ResultRun* run;
    std::size_t number;
    bool written;
  };

  void require(bool holds, const char* rule) const {
    if (!holds) throw std::logic_error(fmt::format("unit {} {}", name_, rule));
  }

  const std::string& name_;
  std::vector<Place> places_;
  UnitRecord record_;
};

class Executor {
 public:
  explicit Executor(const Execution& execution)
      : execution_(execution),
        recorder_(targets(execution), [this](const UnitRecord& record) { recorded(record); }) {}

  void run() {
    std::exception_ptr error;
    try {
      const GraceWatch watch(*this);
      run_units();
    } catch (...) {
      error = std::current_exception();
    }
    try {
      recorder_.drain();
    } catch (...) {
      // When recording fails, the workers met the same failure.
      if (!error) throw;
    }
    if (error) std::rethrow_exception(error);
    const StopReason reason = execution_.stop->reason();
    if (units_recorded_ < execution_.pending.size()) throw interrupted(reason);
  }

 private:
  // Ends the run from outside when a unit does not end in time after a stop request.
  class GraceWatch {
   public:
    explicit GraceWatch(Executor& executor) : executor_(executor) {
      if (executor.execution_.options->abandon) thread_ = std::thread([this] { watch(); });
    }
    ~GraceWatch() {
      {
        const std::lock_guard lock(mutex_);
        ended_ = true;
      }
      changed_.notify_all();
      if (thread_.joinable()) thread_.join();
    }
    GraceWatch(const GraceWatch&) = delete;
    GraceWatch& operator=(const GraceWatch&) = delete;

   private:
    bool ends_within(double seconds) {
      std::unique_lock lock(mutex_);
      return changed_.wait_for(lock, std::chrono::duration<double>(seconds),
                               [this] { return ended_; });
    }

    void watch() {
      const Execution& execution = executor_.execution_;
      while (execution.stop->reason() == StopReason::kNone) {
        if (ends_within(0.1)) return;
      }
      const StopReason reason = execution.stop->reason();
      if (ends_within(execution.options->stop_grace_seconds)) return;
      try {
        executor_.recorder_.drain();
      } catch (const std::exception&) {
        return;  // the workers met the same failure and are ending
      }
      execution.options->abandon(executor_.interrupted(reason));
    }

    Executor& executor_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool ended_ = false;
    std::thread thread_;
  };

  static std::vector<RecordTarget> targets(const Execution& execution) {
    std::vector<RecordTarget> found(execution.plan->results.size());
    for (ResultRun* run : execution.runs) found[run->index] = {&*run->part, &*run->journal};
    return found;
  }

  void run_units() {
    const std::size_t n = execution_.pending.size();
    if (execution_.plan->order == Order::kAny) {
      parallel::parallel_for(n, execution_.options->n_threads,
                             [this](std::size_t index, int) { run_unit(index); });
      return;
    }
    for (std::size_t index = 0; index < n; ++index) {
      run_unit(index);
      recorder_.drain();
    }
  }

  void run_unit(std::size_t index) {
    if (execution_.stop->reason() != StopReason::kNone) return;
    const std::size_t unit = execution_.pending[index];
    const auto begin = Clock::now();
    PartSink sink(*execution_.plan, execution_.runs, unit);
    try {
      execution_.work->run(unit, sink);
    } catch (const std::bad_alloc&) {
      throw out_of_memory(unit);
    }
    UnitRecord record = sink.take_record();
    record.unit = unit;
    record.seconds = seconds_since(begin);
    recorder_.add(std::move(record));
  }

  void recorded(const UnitRecord& record) {
    ++units_recorded_;
    for (const UnitRecord::Piece& piece : record.pieces) {
      const FinishedUnit& unit = piece.finished;
      if (execution_.durable) {
        execution_.durable(piece.result, {piece.result, unit.file, unit.offset, unit.size});
      }
    }
    execution_.observer->unit_done(*execution_.plan, record.unit, record.seconds);
  }

  Interrupted interrupted(StopReason reason) const {
    return {reason, execution_.units_kept + units_recorded_, execution_.units_total};
  }

  base::OutOfMemoryError out_of_memory(std::size_t unit) const {
    const Plan& plan = *execution_.plan;
    const std::string advice = plan.memory_advice.empty() ? "free memory" : plan.memory_advice;
    return {
        fmt::format("memory ran out while making {}", base::escape_controls(plan.units[unit].name)),
        fmt::format("the system gave no more after {}",
                    base::format_bytes(parallel::current_rss())),
        fmt::format("{}; what is finished is kept, run the command again", advice)};
  }

  const Execution& execution_;
  std::atomic<std::size_t> units_recorded_ = 0;
  UnitRecorder recorder_;  // last: its thread uses the others
};

}  // namespace

void execute(const Execution& execution) { Executor(execution).run(); }

}  // namespace lq::stage

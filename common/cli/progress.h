#pragma once
// How far a run is: a bar that is redrawn on a terminal, or complete lines elsewhere.

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "common/cli/console.h"
#include "common/stage/plan.h"
#include "common/stage/run_stage.h"

namespace lq::cli {

/// The numbers that a bar or a line shows.
struct ProgressNumbers {
  std::size_t units_done = 0, units = 0;
  int layer = -1, layers = 0;  // the highest layer that a finished unit belongs to; -1 = none
  int layers_to_do = 0;        // that units of this run belong to
  stage::Measure measure = stage::Measure::kBytes;
  std::uint64_t amount_done = 0, amount = 0;  // bytes; or tokens, each counted in every layer
  double amount_per_second = 0;
  double seconds_left = -1;  // below 0 = not known
  std::uint64_t memory_used = 0, memory_limit = 0;
};

/// At most `columns` - 1 characters: what does not fit is left out, the least important first.
std::string bar_text(const std::string& tool, const ProgressNumbers& numbers, int columns);
std::string line_text(const ProgressNumbers& numbers);
/// "12.3 MiB/s", "450 tokens/s"
std::string rate_text(const ProgressNumbers& numbers);
/// What is before a run that begins: "12 units, 1.5 GiB to write", "3 units kept".
std::string start_text(const ProgressNumbers& numbers);

/// The layer that a unit's name tells ("blk.3.ffn_up.weight", "model.layers.3.mlp"), -1 for none.
int layer_of(const std::string& unit_name);

enum class ProgressStyle { kNone, kLines, kBar };

/// Time and memory as the progress sees them.
struct Gauges {
  std::function<double()> seconds;             // a steady clock
  std::function<std::uint64_t()> memory_used;  // of this process
  std::function<std::uint64_t()> memory_free;  // of the machine; 0 = not known
};
Gauges machine_gauges();

/// Counts units and decides when something is shown. Thread rule: members may be called at once
/// from several threads.
class Progress {
 public:
  struct Hooks {
    std::function<void(const std::string&)> line;  // a complete line of ProgressStyle::kLines
    std::function<void(const std::string& what, const std::string& why)> warn;
  };

  /// `memory_limit` of 0: what is used and free together.
  Progress(std::string tool, ProgressStyle style, int columns, std::uint64_t memory_limit,
           Gauges gauges, Console& console, Hooks hooks);

  /// REQUIRES: `plan` outlives the progress, or finish() is called before it ends.
  /// With `shard` only that part of the units counts.
  void start(const stage::Plan& plan, std::size_t units_kept,
             const std::optional<stage::Shard>& shard = {});
  void unit_done(std::size_t unit);
  /// What units that are under way have done; once there is any, time left is told by it.
  void advanced(std::uint64_t amount);
  /// Called ten times a second, whatever happens.
  void tick();
  void finish();

  ProgressNumbers numbers();

 private:
  ProgressNumbers numbers_locked() const;
  bool knows_kept() const;
  void watch_memory(const ProgressNumbers& now);

  const std::string tool_;
  const ProgressStyle style_;
  const int columns_;
  const std::uint64_t memory_limit_;
  const Gauges gauges_;
  Console& console_;
  const Hooks hooks_;

  std::mutex mutex_;
  const stage::Plan* plan_ = nullptr;  // between start() and finish()
  double started_ = 0, shown_ = 0;
  std::size_t units_ = 0, kept_ = 0, done_ = 0;  // in all, by earlier runs, by this one
  int layer_ = -1, layers_ = 0, layers_to_do_ = 0;
  double cost_done_ = 0, cost_ = 0;
  std::uint64_t amount_done_ = 0, amount_ = 0, amount_advanced_ = 0;
  bool warned_ = false;
};

}  // namespace lq::cli

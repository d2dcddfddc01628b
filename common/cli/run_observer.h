#pragma once
// What a stage reports, brought to the progress display and the log.

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "common/cli/common_options.h"
#include "common/cli/progress.h"
#include "common/cli/run_log.h"
#include "common/parallel/memory.h"
#include "common/stage/run_stage.h"

namespace lq::cli {

class RunObserver : public stage::StageObserver {
 public:
  /// Everything is referred to from then on.
  RunObserver(RunLog& log, Progress& progress, const std::optional<stage::Shard>& shard = {})
      : log_(log), progress_(progress), shard_(shard) {}
  ~RunObserver() override { stop_ticking(); }

  void planned(const stage::Plan& plan, std::size_t units_kept) override;
  void message(const std::string& text) override;
  void warning(const std::string& what, const std::string& why) override;
  void unit_done(const stage::Plan& plan, std::size_t unit, double seconds) override;
  void detail(const std::string& text) override { log_.detail(text); }
  void advanced(std::uint64_t amount) override { progress_.advanced(amount); }
  void finished(const stage::Plan& plan, const stage::StageReport& report) override;
  void ended() override { stop_ticking(); }

  /// Ends the display; the plan is no longer referred to. Called before a program ends in whatever
  /// way.
  void stop_ticking();

 private:
  RunLog& log_;
  Progress& progress_;
  const std::optional<stage::Shard> shard_;
  parallel::SampledMemory memory_;
  std::size_t units_ = 0, finished_units_ = 0;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::thread ticker_;
};

/// "done in 12.3 s: RATE, read 269.00 MiB (21.9 MiB/s), wrote ..., processor 193 %, peak memory ...,
/// bound by disk"; without a rate where that is empty.
std::string summary_text(const stage::StageReport& report, const std::string& rate);

/// What is drawn, given the options and the terminal.
ProgressStyle progress_style(const SessionOptions& session, const TerminalFacts& terminal);

}  // namespace lq::cli

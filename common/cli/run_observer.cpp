#include "common/cli/run_observer.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

#include "common/base/text.h"
#include "common/cli/values.h"
#include "common/parallel/memory.h"

namespace lq::cli {
namespace {

using spdlog::level::level_enum;

constexpr std::chrono::milliseconds kTick(100);

std::string per_second(std::uint64_t bytes, double seconds) {
  if (seconds <= 0) return base::format_bytes(bytes);
  return fmt::format(
      "{} ({}/s)", base::format_bytes(bytes),
      base::format_bytes(static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds)));
}

}  // namespace

std::string summary_text(const stage::StageReport& report, const std::string& rate) {
  const double processor = report.seconds > 0 ? 100 * report.cpu_seconds / report.seconds : 0;
  std::string text =
      fmt::format("done in {}: {}{}read {}, wrote {}, processor {:.0f} %, peak memory {}",
                  format_seconds(report.seconds), rate, rate.empty() ? "" : ", ",
                  per_second(report.read_bytes, report.seconds),
                  per_second(report.written_bytes, report.seconds), processor,
                  base::format_bytes(report.peak_rss));
  if (!report.bound_by.empty()) text += ", bound by " + report.bound_by;
  return text;
}

ProgressStyle progress_style(const SessionOptions& session, const TerminalFacts& terminal) {
  if (session.verbosity < kNormal || session.progress == "never") return ProgressStyle::kNone;
  if (session.log_format == "json") return ProgressStyle::kNone;
  if (session.progress == "always" || terminal.redraws) return ProgressStyle::kBar;
  return ProgressStyle::kLines;
}

void RunObserver::planned(const stage::Plan& plan, std::size_t units_kept) {
  nlohmann::ordered_json outputs = nlohmann::ordered_json::array();
  for (const stage::ResultPlan& result : plan.results) outputs.push_back(result.path.string());
  log_.event(level_enum::debug, "plan",
             {{"outputs", outputs},
              {"units", plan.units.size()},
              {"units_kept", units_kept},
              {"read_bytes", plan.read_bytes},
              {"memory_bytes", plan.memory_bytes}});
  finished_units_ = units_kept;
  progress_.start(plan, units_kept, shard_);
  units_ = progress_.numbers().units;
  if (ticker_.joinable()) return;
  stop_ = false;  // of a run before this one
  ticker_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!stopping_.wait_for(lock, kTick, [this] { return stop_; })) {
      lock.unlock();
      progress_.tick();
      lock.lock();
    }
  });
}

void RunObserver::message(const std::string& text) { log_.message(text); }

void RunObserver::warning(const std::string& what, const std::string& why) {
  log_.warning(what, why);
}

void RunObserver::unit_done(const stage::Plan& plan, std::size_t unit, double seconds) {
  progress_.unit_done(unit);
  ++finished_units_;
  const stage::Unit& done = plan.units[unit];
  const std::uint64_t amount = stage::amount_of(plan, done);
  const bool in_bytes = plan.measure == stage::Measure::kBytes;
  const std::uint64_t available = memory_.available(), peak = parallel::peak_rss();
  const std::string name = base::escape_controls(done.name);
  log_.event(
      level_enum::debug, "unit.done",
      {{"unit", name},
       {"i", finished_units_},
       {"n", units_},
       {"s", seconds},
       {in_bytes ? "bytes" : "tokens", amount},
       {"available", available},
       {"peak_rss", peak}},
      fmt::format("{} of {}: {} in {}", finished_units_, units_, name, format_seconds(seconds)));
  log_.detail(fmt::format("  {}, available {}, peak memory {}",
                          in_bytes ? base::format_bytes(amount) : fmt::format("{} tokens", amount),
                          base::format_bytes(available), base::format_bytes(peak)));
}

void RunObserver::finished(const stage::Plan& plan, const stage::StageReport& report) {
  const ProgressNumbers last = progress_.numbers();
  const bool tokens = plan.measure == stage::Measure::kTokens && last.amount_done > 0;
  stop_ticking();
  const bool made = std::ranges::any_of(report.status, [](stage::ResultStatus status) {
    return status == stage::ResultStatus::kMade || status == stage::ResultStatus::kShardDone;
  });
  if (made) log_.message(summary_text(report, tokens ? rate_text(last) : ""));
}

void RunObserver::stop_ticking() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  if (ticker_.joinable()) ticker_.join();
  progress_.finish();
}

}  // namespace lq::cli

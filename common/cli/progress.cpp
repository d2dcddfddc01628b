#include "common/cli/progress.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "common/parallel/memory.h"
#include "common/stage/layout.h"

namespace lq::cli {
namespace {

constexpr double kFirstBarAfter = 0.5;  // seconds: a run that is over at once shows nothing
constexpr double kBarEvery = 0.1, kLineEvery = 30;
constexpr double kMemoryWarning = 0.9;  // of what may be used
constexpr double kSmoothStart = 1;      // seconds before a rate is worth an estimate

}  // namespace

Gauges machine_gauges() {
  return {
      .seconds =
          [] {
            const auto now = std::chrono::steady_clock::now().time_since_epoch();
            return std::chrono::duration<double>(now).count();
          },
      .memory_used = [] { return parallel::current_rss(); },
      .memory_free =
          [sampled = std::make_shared<parallel::SampledMemory>()] { return sampled->available(); }};
}

Progress::Progress(std::string tool, ProgressStyle style, int columns, std::uint64_t memory_limit,
                   Gauges gauges, Console& console, Hooks hooks)
    : tool_(std::move(tool)),
      style_(style),
      columns_(columns),
      memory_limit_(memory_limit),
      gauges_(std::move(gauges)),
      console_(console),
      hooks_(std::move(hooks)) {}

void Progress::start(const stage::Plan& plan, std::size_t units_kept,
                     const std::optional<stage::Shard>& shard) {
  const std::vector<char> chosen = stage::units_of_shard(plan, shard);
  const std::lock_guard lock(mutex_);
  plan_ = &plan;
  started_ = shown_ = gauges_.seconds();
  done_ = 0;
  layer_ = -1;
  layers_ = 0;
  cost_done_ = cost_ = 0;
  amount_done_ = amount_ = amount_advanced_ = 0;
  units_ = 0;
  std::set<int> layers_to_do;
  for (std::size_t i = 0; i < plan.units.size(); ++i) {
    const stage::Unit& unit = plan.units[i];
    layers_ = std::max(layers_, layer_of(unit.name) + 1);
    if (chosen[i] == 0) continue;
    ++units_;
    if (knows_kept() && units_ <= units_kept) continue;
    layers_to_do.insert(layer_of(unit.name));
    cost_ += unit.cost;
    amount_ += stage::amount_of(plan, unit);
  }
  layers_to_do.erase(-1);
  layers_to_do_ = static_cast<int>(layers_to_do.size());
  kept_ = std::min(units_kept, units_);
  if (style_ != ProgressStyle::kLines) return;
  hooks_.line(start_text(numbers_locked()));
}

void Progress::unit_done(std::size_t unit) {
  {
    const std::lock_guard lock(mutex_);
    if (plan_ == nullptr) return;
    const stage::Unit& finished = plan_->units[unit];
    ++done_;
    cost_done_ += finished.cost;
    amount_done_ += stage::amount_of(*plan_, finished);
    layer_ = std::max(layer_, layer_of(finished.name));
  }
  tick();
}

void Progress::advanced(std::uint64_t amount) {
  const std::lock_guard lock(mutex_);
  amount_advanced_ += amount;
}

ProgressNumbers Progress::numbers() {
  const std::lock_guard lock(mutex_);
  return numbers_locked();
}

// Of units that come in their order the first ones were kept.
bool Progress::knows_kept() const { return plan_->order == stage::Order::kSequential; }

ProgressNumbers Progress::numbers_locked() const {
  ProgressNumbers now;
  if (plan_ == nullptr) return now;
  now.units = units_;
  now.units_done = std::min(kept_ + done_, now.units);
  now.layer = layer_;
  now.layers = layers_;
  now.layers_to_do = layers_to_do_;
  now.measure = plan_->measure;
  // Where units come in any order, which ones were kept is not known here, only how many: they
  // count as average ones.
  const double to_do = knows_kept() ? 1
                       : now.units == 0
                           ? 0
                           : 1 - static_cast<double>(kept_) / static_cast<double>(now.units);
  now.amount =
      std::max(static_cast<std::uint64_t>(static_cast<double>(amount_) * to_do), amount_done_);
  now.amount_done = std::min(std::max(amount_done_, amount_advanced_), now.amount);
  const double elapsed = gauges_.seconds() - started_;
  if (elapsed > 0) now.amount_per_second = static_cast<double>(now.amount_done) / elapsed;
  if (elapsed >= kSmoothStart && amount_advanced_ > 0) {
    now.seconds_left = static_cast<double>(now.amount - now.amount_done) / now.amount_per_second;
  } else if (elapsed >= kSmoothStart && cost_done_ > 0) {
    now.seconds_left = elapsed * std::max(cost_ * to_do - cost_done_, 0.0) / cost_done_;
  }
  now.memory_used = gauges_.memory_used();
  now.memory_limit = memory_limit_;
  if (now.memory_limit == 0) now.memory_limit = now.memory_used + gauges_.memory_free();
  return now;
}

void Progress::tick() {
  ProgressNumbers now;
  bool show = false;
  {
    const std::lock_guard lock(mutex_);
    if (plan_ == nullptr) return;
    const double seconds = gauges_.seconds();
    const bool first = shown_ == started_;
    const double due = style_ == ProgressStyle::kLines ? kLineEvery
                       : first                         ? kFirstBarAfter
                                                       : kBarEvery;
    show = style_ != ProgressStyle::kNone && seconds - shown_ >= due;
    if (show) shown_ = seconds;
    now = numbers_locked();
    if (show && style_ == ProgressStyle::kBar) console_.draw(bar_text(tool_, now, columns_));
  }
  if (show && style_ == ProgressStyle::kLines) hooks_.line(line_text(now));
  watch_memory(now);
}

void Progress::watch_memory(const ProgressNumbers& now) {
  const auto used = static_cast<double>(now.memory_used);
  const std::uint64_t free = gauges_.memory_free();
  std::string why;
  if (memory_limit_ > 0 && used > kMemoryWarning * static_cast<double>(now.memory_limit)) {
    why = fmt::format("{} of the {} that --memory allows are in use",
                      base::format_bytes(now.memory_used), base::format_bytes(now.memory_limit));
  } else if (free > 0 && used > kMemoryWarning * (used + static_cast<double>(free))) {
    why = fmt::format("{} are in use and the machine has {} left",
                      base::format_bytes(now.memory_used), base::format_bytes(free));
  } else {
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(warned_, true)) return;
  }
  hooks_.warn("memory is nearly used up", why);
}

void Progress::finish() {
  const std::lock_guard lock(mutex_);
  plan_ = nullptr;
  console_.erase();
}

}  // namespace lq::cli

#include "common/parallel/parallel_for.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <latch>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#ifndef LQ_PARALLEL_STD_THREAD
#include <omp.h>
#endif

namespace lq::parallel {
namespace {

/// Libraries that start OpenMP threads of their own use none inside a work item.
class OwnThreadsOnly {
 public:
#ifndef LQ_PARALLEL_STD_THREAD
  OwnThreadsOnly() { omp_set_num_threads(1); }
  ~OwnThreadsOnly() { omp_set_num_threads(before_); }
#else
  OwnThreadsOnly() = default;
#endif
  OwnThreadsOnly(const OwnThreadsOnly&) = delete;
  OwnThreadsOnly& operator=(const OwnThreadsOnly&) = delete;

#ifndef LQ_PARALLEL_STD_THREAD
 private:
  const int before_ = omp_get_max_threads();
#endif
};

// Work items in ascending order, until they run out or one fails.
class Items {
 public:
  Items(std::size_t n, const std::function<void(std::size_t, int)>& body) : n_(n), body_(body) {}

  void work(int worker) {
    const OwnThreadsOnly guard;
    try {
      while (!failed_.load(std::memory_order_relaxed)) {
        const std::size_t index = next_.fetch_add(1, std::memory_order_relaxed);
        if (index >= n_) return;
        body_(index, worker);
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      failed_.store(true, std::memory_order_relaxed);
    }
  }

  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::size_t n_;
  const std::function<void(std::size_t, int)>& body_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::exception_ptr error_;
};

#ifndef LQ_PARALLEL_STD_THREAD
/// The OpenMP runtime ends the process when it gets no thread: so that many are started once, for
/// nothing, where the refusal is an exception. Throws std::system_error.
void require_threads(int n) {
  static std::atomic<int> granted = 1;
  if (n <= granted.load()) return;
  std::vector<std::jthread> threads;
  std::latch all_run(n - 1);
  try {
    for (int i = 1; i < n; ++i) threads.emplace_back([&] { all_run.arrive_and_wait(); });
  } catch (const std::system_error&) {
    all_run.count_down(n - 1 - static_cast<std::ptrdiff_t>(threads.size()));
    throw;
  }
  granted.store(n);
}
#endif

}  // namespace

void parallel_for(std::size_t n, int n_threads,
                  const std::function<void(std::size_t index, int worker)>& body) {
  const int workers =
      static_cast<int>(std::min<std::size_t>(n, static_cast<std::size_t>(std::max(n_threads, 1))));
  Items items(n, body);
  if (workers <= 1) {
    items.work(0);
    items.rethrow();
    return;
  }
#ifdef LQ_PARALLEL_STD_THREAD
  std::vector<std::thread> threads;
  for (int worker = 1; worker < workers; ++worker) {
    threads.emplace_back([&items, worker] { items.work(worker); });
  }
  items.work(0);
  for (std::thread& thread : threads) thread.join();
#else
  require_threads(workers);
  // One loop turn per worker, so that the work is complete also where the runtime grants fewer
  // threads.
#pragma omp parallel for num_threads(workers) schedule(static, 1)
  for (int worker = 0; worker < workers; ++worker) items.work(worker);
#endif
  items.rethrow();
}

}  // namespace lq::parallel

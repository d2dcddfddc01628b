#include "common/parallel/parallel_for.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <omp.h>
#include <thread>

namespace lq::parallel {
namespace {

/// Libraries that start OpenMP threads of their own use none inside a work item.
class OwnThreadsOnly {
 public:
  OwnThreadsOnly() { omp_set_num_threads(1); }
  ~OwnThreadsOnly() { omp_set_num_threads(before_); }
  OwnThreadsOnly(const OwnThreadsOnly&) = delete;
  OwnThreadsOnly& operator=(const OwnThreadsOnly&) = delete;

 private:
  const int before_ = omp_get_max_threads();
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

/// Threads that sleep until there is work. Those of OpenMP spin for milliseconds before they sleep: on
/// processors that others use too, that costs several times the processor time of the work.
class Team {
 public:
  static Team& of_process() {
    static Team& team = *new Team;  // its threads end with the process
    return team;
  }

  /// False where the team is at work already, for this thread or another one. Throws
  /// std::system_error where there are no more threads to be had.
  bool work(Items& items, int workers) {
    if (is_member_) return false;
    const std::unique_lock turn(turn_, std::try_to_lock);
    if (!turn.owns_lock()) return false;
    for (; n_threads_ < workers - 1; ++n_threads_) std::thread([this] { run(); }).detach();
    {
      const std::lock_guard lock(mutex_);
      items_ = &items;
      n_seats_ = workers - 1;
    }
    wake_.notify_all();
    is_member_ = true;
    items.work(0);
    is_member_ = false;
    std::unique_lock lock(mutex_);
    n_seats_ = 0;  // who has not come yet finds nothing to do
    done_.wait(lock, [this] { return n_working_ == 0; });
    return true;
  }

 private:
  void run() {
    is_member_ = true;
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return n_seats_ > 0; });
      const int worker = n_seats_--;
      ++n_working_;
      Items& items = *items_;
      lock.unlock();
      items.work(worker);
      lock.lock();
      if (--n_working_ == 0) done_.notify_one();
    }
  }

  static thread_local bool is_member_;
  std::mutex turn_, mutex_;
  std::condition_variable wake_, done_;
  Items* items_ = nullptr;
  int n_threads_ = 0, n_seats_ = 0, n_working_ = 0;
};

thread_local bool Team::is_member_ = false;

}  // namespace

void parallel_for(std::size_t n, int n_threads,
                  const std::function<void(std::size_t index, int worker)>& body) {
  const int workers =
      static_cast<int>(std::min<std::size_t>(n, static_cast<std::size_t>(std::max(n_threads, 1))));
  Items items(n, body);
  if (workers <= 1 || !Team::of_process().work(items, workers)) items.work(0);
  items.rethrow();
}

}  // namespace lq::parallel

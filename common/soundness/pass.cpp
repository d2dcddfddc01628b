#include "common/soundness/pass.h"

#include <algorithm>
#include <cassert>
#include <memory>
#include <optional>

#include "common/io/digest.h"
#include "common/io/input_file.h"
#include "common/parallel/parallel_for.h"

namespace lq::soundness {
namespace {

constexpr std::uint64_t kWindow = std::uint64_t{4} << 20;
constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;
constexpr std::size_t kMostLanes = 8;

struct Window {
  std::uint64_t begin = 0;
  std::vector<std::byte> bytes;
  std::uint64_t end() const { return begin + bytes.size(); }
};

/// A file under way.
class Lane {
 public:
  explicit Lane(FileJob& job) : job_(job) {
    guarded([&] {
      file_.emplace(job_.path);
      job_.size = file_->size();
      if (job_.hash) digest_.emplace(io::Digest::Algorithm::kSha256);
      read_next();
    });
    advance();
  }

  bool done() const { return now_.bytes.empty(); }
  void read_next() {
    guarded([&] {
      const std::uint64_t begin = now_.end();
      next_ = {begin, std::vector<std::byte>(window_end(begin) - begin)};
      file_->read_at(begin, next_.bytes);
    });
  }
  void hash() { digest_->update(now_.bytes); }
  bool hashes() const { return digest_.has_value(); }

  void add_pieces(std::vector<std::function<void()>>& tasks) const {
    for (const Segment& segment : job_.segments) {
      const std::uint64_t begin = std::max(segment.offset, now_.begin);
      const std::uint64_t end = std::min(segment.offset + segment.n_bytes, now_.end());
      if (begin >= end || segment.unit > kLargestUnit) continue;
      const std::uint64_t piece = std::max(kPiece / segment.unit, std::uint64_t{1}) * segment.unit;
      for (std::uint64_t at = begin; at < end; at += piece) {
        const auto bytes =
            std::span(now_.bytes).subspan(at - now_.begin, std::min(piece, end - at));
        tasks.emplace_back(
            [&segment, at, bytes] { segment.check->look(at - segment.offset, bytes); });
      }
    }
  }

  /// To the window that was read meanwhile.
  void advance() {
    std::swap(now_, next_);
    next_.bytes.clear();
    if (!now_.bytes.empty() || !job_.errors.empty()) return;
    if (digest_) job_.sha256 = digest_->hex();
    digest_.reset();
  }

 private:
  /// The end of the window that begins there: on the edge of a unit.
  std::uint64_t window_end(std::uint64_t begin) const {
    const std::uint64_t end = std::min(begin + kWindow, job_.size);
    std::uint64_t largest = 0, cut = end;
    for (const Segment& segment : job_.segments) {
      const std::uint64_t last = segment.offset + segment.n_bytes;
      if (segment.unit > kLargestUnit || end <= segment.offset || end >= last) continue;
      if (segment.unit <= largest) continue;
      largest = segment.unit;
      const std::uint64_t first = std::max(begin, segment.offset);
      const std::uint64_t whole = (end - first) / segment.unit * segment.unit;
      cut = first + whole;
      if (whole == 0 && first == begin) cut = first + segment.unit;
    }
    return cut;
  }

  template <class Code>
  void guarded(const Code& code) {
    try {
      code();
    } catch (const base::ValidationError& error) {
      next_.bytes.clear();
      job_.errors.push_back(error);
    } catch (const base::ModelNotFoundError& error) {
      next_.bytes.clear();
      job_.errors.emplace_back(error.what(), error.why(), error.fix());
    }
  }

  FileJob& job_;
  std::optional<io::InputFile> file_;
  std::optional<io::Digest> digest_;
  Window now_, next_;
};

void do_round(std::vector<std::unique_ptr<Lane>>& lanes, int n_threads) {
  std::vector<std::function<void()>> tasks;
  for (const auto& lane : lanes) {
    tasks.emplace_back([&lane] { lane->read_next(); });
    if (lane->hashes()) tasks.emplace_back([&lane] { lane->hash(); });
  }
  for (const auto& lane : lanes) lane->add_pieces(tasks);
  parallel::parallel_for(tasks.size(), n_threads,
                         [&](std::size_t i, int /*worker*/) { tasks[i](); });
  for (const auto& lane : lanes) lane->advance();
}

}  // namespace

void run_pass(std::span<FileJob> jobs, int n_threads, const std::function<void()>& keep_going) {
  const auto n_lanes = std::min(static_cast<std::size_t>(std::max(n_threads, 1)), kMostLanes);
  std::vector<std::unique_ptr<Lane>> lanes;
  std::size_t next = 0;
  while (next < jobs.size() || !lanes.empty()) {
    for (; lanes.size() < n_lanes && next < jobs.size(); ++next) {
      if (!jobs[next].hash && jobs[next].segments.empty()) continue;
      lanes.push_back(std::make_unique<Lane>(jobs[next]));
    }
    std::erase_if(lanes, [](const auto& lane) { return lane->done(); });
    if (keep_going) keep_going();
    if (!lanes.empty()) do_round(lanes, n_threads);
  }
}

}  // namespace lq::soundness

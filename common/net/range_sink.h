#pragma once
// The bytes of one answer on their way to their place in a file.

#include <functional>
#include <string>

#include "common/net/file_transfer.h"
#include "common/net/http.h"

namespace lq::net {

/// Somebody else fetches this file now, or all that was asked for is there.
struct NothingMoreToDo {};

class RangeSink : public BodySink {
 public:
  /// `left`: what is still to come; its begin moves on, and it becomes the whole file where the
  /// server takes no ranges. `from_endpoint`: whether the first address that is asked is the
  /// endpoint's. `received` is told how many bytes were new, and may wait. All are referred to.
  RangeSink(FileTransfer& transfer, const std::string& commit, bool from_endpoint, Extent& left,
            const std::function<void(std::uint64_t)>& received);

  void redirected(const HttpHead& hop, bool from_endpoint, bool to_endpoint) override;
  bool begin(const HttpHead& head) override;
  /// Throws NothingMoreToDo.
  void data(std::span<const std::byte> bytes) override;

  /// Why the answer was not taken; empty when it was.
  const std::string& problem() const { return problem_; }

 private:
  std::string place_problem(const HttpHead& head);

  FileTransfer& transfer_;
  const std::string& commit_;
  bool at_endpoint_;
  Extent& left_;
  const std::function<void(std::uint64_t)>& received_;
  std::string problem_;
};

}  // namespace lq::net

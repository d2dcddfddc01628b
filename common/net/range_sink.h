#pragma once
// The bytes of one answer on their way to their place in a file.

#include <functional>
#include <string>

#include "common/net/file_transfer.h"
#include "common/net/http.h"

namespace lq::net {

class RangeSink : public BodySink {
 public:
  /// `from_endpoint`: whether the first address that is asked is the endpoint's. `received` is told
  /// how many bytes were new, and may wait. All are referred to.
  RangeSink(Piece& piece, const std::string& commit, bool from_endpoint,
            const std::function<void(std::uint64_t)>& received);

  void redirected(const HttpHead& hop, bool from_endpoint, bool to_endpoint) override;
  bool begin(const HttpHead& head) override;
  bool data(std::span<const std::byte> bytes) override;

  /// Why the answer was not taken; empty when it was, or was not wanted any more.
  const std::string& problem() const { return problem_; }

 private:
  std::string place_problem(const HttpHead& head);

  Piece& piece_;
  const std::string& commit_;
  bool at_endpoint_;
  const std::function<void(std::uint64_t)>& received_;
  std::string problem_;
};

}  // namespace lq::net

#include "common/net/range_sink.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/text.h"
#include "common/net/hub_client.h"

namespace lq::net {

RangeSink::RangeSink(Piece& piece, const std::string& commit, bool from_endpoint,
                     const std::function<void(std::uint64_t)>& received)
    : piece_(piece), commit_(commit), at_endpoint_(from_endpoint), received_(received) {}

void RangeSink::redirected(const HttpHead& hop, bool from_endpoint, bool to_endpoint) {
  if (from_endpoint && problem_.empty()) {
    problem_ = mismatch(hop, commit_, piece_.transfer().file());
  }
  at_endpoint_ = to_endpoint;
}

bool RangeSink::begin(const HttpHead& head) {
  if (head.status / 100 != 2) return false;
  if (problem_.empty() && at_endpoint_) {
    problem_ = mismatch(head, commit_, piece_.transfer().file());
  }
  if (problem_.empty()) problem_ = place_problem(head);
  return problem_.empty() && piece_.is_wanted();
}

bool RangeSink::data(std::span<const std::byte> bytes) {
  const std::uint64_t n = std::min<std::uint64_t>(bytes.size(), piece_.left().size());
  const auto fresh = piece_.write(bytes.first(static_cast<std::size_t>(n)));
  if (!fresh) return false;
  if (*fresh > 0) received_(*fresh);
  return n == bytes.size();  // a server that sends more than was asked for is not listened to
}

/// Whether the answer holds the bytes that were asked for.
std::string RangeSink::place_problem(const HttpHead& head) {
  const RepoFile& file = piece_.transfer().file();
  if (head.status == 206) {
    return range_problem(head, piece_.left(), file.size);
  }
  const std::string length = head.header("content-length");
  if (!length.empty() && length != fmt::format("{}", file.size)) {
    return fmt::format("the answer has {} bytes, not {}", base::escape_controls(length), file.size);
  }
  piece_.take_whole();
  return "";
}

}  // namespace lq::net

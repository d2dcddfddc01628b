#include "common/net/range_sink.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/text.h"
#include "common/net/hub_client.h"

namespace lq::net {

RangeSink::RangeSink(FileTransfer& transfer, const std::string& commit, bool from_endpoint,
                     Extent& left, const std::function<void(std::uint64_t)>& received)
    : transfer_(transfer),
      commit_(commit),
      at_endpoint_(from_endpoint),
      left_(left),
      received_(received) {}

void RangeSink::redirected(const HttpHead& hop, bool from_endpoint, bool to_endpoint) {
  if (from_endpoint && problem_.empty()) problem_ = mismatch(hop, commit_, transfer_.file());
  at_endpoint_ = to_endpoint;
}

bool RangeSink::begin(const HttpHead& head) {
  if (head.status / 100 != 2) return false;
  if (problem_.empty() && at_endpoint_) problem_ = mismatch(head, commit_, transfer_.file());
  if (problem_.empty()) problem_ = place_problem(head);
  return problem_.empty();
}

void RangeSink::data(std::span<const std::byte> bytes) {
  if (!transfer_.is_wanted()) throw NothingMoreToDo();
  bytes =
      bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_.size())));
  if (bytes.empty()) throw NothingMoreToDo();
  const std::uint64_t fresh = transfer_.write(left_.begin, bytes);
  left_.begin += bytes.size();
  if (fresh > 0) received_(fresh);
}

/// Whether the answer holds the bytes that were asked for.
std::string RangeSink::place_problem(const HttpHead& head) {
  const RepoFile& file = transfer_.file();
  if (head.status == 206) return range_problem(head, {left_.begin, left_.end - 1}, file.size);
  const std::string length = head.header("content-length");
  if (!length.empty() && length != fmt::format("{}", file.size)) {
    return fmt::format("the answer has {} bytes, not {}", base::escape_controls(length), file.size);
  }
  if (!transfer_.take_whole()) throw NothingMoreToDo();
  left_ = {0, file.size};
  return "";
}

}  // namespace lq::net

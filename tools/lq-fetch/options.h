#pragma once
// The options of lq-fetch, beside those of every tool.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/cli/option_table.h"
#include "common/net/credentials.h"
#include "common/net/download.h"
#include "common/net/file_choice.h"

namespace lq::fetch {

struct Options {
  net::Wishes wishes;
  net::TokenWishes token;
  bool list = false, verify = false, require_hash = false, hard_link = false;
  std::int64_t connections = net::DownloadSettings{}.connections;
  std::uint64_t segment_bytes = net::DownloadSettings{}.segment_bytes;
  std::uint64_t bytes_per_second = 0;
  std::optional<double> longest_wait;
};

void declare(cli::OptionTable& table, Options& options);

/// Throws UsageError for options that contradict.
void check(const Options& options, bool has_output, bool has_shard);

}  // namespace lq::fetch

#include "tools/lq-fetch/options.h"

#include <fmt/format.h>
#include <string>

#include "common/base/errors.h"
#include "common/net/retry.h"

namespace lq::fetch {
namespace {

/// As it is given on the command line: "64M".
std::string in_mebibytes(std::uint64_t bytes) { return fmt::format("{}M", bytes >> 20U); }

}  // namespace

void declare(cli::OptionTable& table, Options& options) {
  table.group("What to fetch");
  table.list("include", 0, "PATTERN", options.wishes.include,
             "fetch exactly the files that match (*, ?, [abc]; * crosses /); may be repeated");
  table.list("exclude", 0, "PATTERN", options.wishes.exclude,
             "leave out files that match; may be repeated");
  table.text("subfolder", 0, "DIR", options.wishes.subfolder,
             "the folder of the repository that holds the model");
  table.flag("allow-unsafe", 0, options.wishes.allow_unsafe,
             "also fetch files that can hold code, such as pickles; they are only stored");
  table.flag("list", 0, options.list, "print the files and their sizes, and write nothing");
  table.flag("verify", 0, options.verify,
             "hash what is there against the Hub, or the manifest, and change nothing");
  table.flag("require-hash", 0, options.require_hash,
             "fail where the endpoint tells no hash of a file");
  table.flag("link", 0, options.hard_link,
             "with -o: link files that the shared cache has, where they cannot be cloned");
  table.group("Network");
  table.integer("jobs", 0, "N", options.connections, 1, 64,
                fmt::format("connections at once (default {})", options.connections));
  table.size("segment", 0, "SIZE", options.segment_bytes,
             fmt::format("how much of a large file one request asks for, such as 512K or 16M "
                         "(default {})",
                         in_mebibytes(options.segment_bytes)));
  table.size("limit-rate", 0, "SIZE", options.bytes_per_second,
             "bytes per second over all connections, such as 1M");
  table.seconds("max-wait", 0, "TIME", options.longest_wait,
                fmt::format("longest wait that a server may ask for (default {:.0f}m)",
                            net::Patience{}.longest_hint / 60));
  table.text("token-file", 0, "FILE", options.token.file,
             "read the access token from FILE, - for standard input");
  table.text("token-name", 0, "NAME", options.token.name,
             "use this one of the tokens that 'hf auth login' stored");
  table.flag("no-token", 0, options.token.none, "send no access token");
}

void check(const Options& options, bool has_output, bool has_shard) {
  const auto fail = [](const char* what, const char* why, std::string fix) {
    throw base::UsageError(what, why, std::move(fix));
  };
  if (has_shard) {
    fail("cannot fetch a part of the work", "--shard is for tools that compute",
         "leave --shard out; --jobs N sets the number of connections");
  }
  if (options.list && options.verify) {
    fail("cannot use --list with --verify", "one reads the Hub's list, the other what is here",
         "use one of them");
  }
  if (options.hard_link && !has_output) {
    fail("cannot use --link without -o", "the shared cache holds the files themselves",
         "add -o DIR, or leave --link out");
  }
  constexpr std::uint64_t kSmallestSegment = std::uint64_t{64} << 10;
  if (options.segment_bytes < kSmallestSegment) {
    fail("cannot fetch in such small segments", "--segment is below 64K, and each is a request",
         fmt::format("use 1M or more; the default is {}",
                     in_mebibytes(net::DownloadSettings{}.segment_bytes)));
  }
}

}  // namespace lq::fetch

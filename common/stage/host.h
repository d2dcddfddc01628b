#pragma once
// Where and when, for the records that people read.

#include <cstdint>
#include <string>

namespace lq::stage {

std::string host_name();
/// RFC 3339 UTC with seconds: "2026-01-31T23:59:59Z"
std::string utc_now();
/// Nanoseconds since 1970.
std::int64_t now_ns();
/// Processor time of this process so far, all threads, user and system.
double cpu_seconds();

}  // namespace lq::stage

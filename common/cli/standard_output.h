#pragma once
// Standard output: written once, at the end, and checked.

#include <string_view>

namespace lq::cli {

/// The reader of standard output went away: no error of the tool, but the end of a report.
struct ReaderGone {};

/// Opens /dev/null for those of the three standard descriptors that are closed, so that no file of
/// ours takes their number. Returns whether standard output was among them.
bool keep_standard_descriptors();

/// Writes everything to `fd`. Throws OutputError (disk full, closed ...), ReaderGone when a pipe
/// has no reader.
void write_result(int fd, std::string_view text);

}  // namespace lq::cli

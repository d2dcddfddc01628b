#include "common/net/cache_tag.h"

#include "common/io/atomic_file.h"
#include "common/io/below.h"
#include "common/io/file_status.h"

namespace lq::net {

void mark_as_cache(const std::filesystem::path& directory) {
  const std::filesystem::path tag = io::make_parents_below(directory, "CACHEDIR.TAG");
  if (io::file_status(tag)) return;
  io::write_file_atomically(tag,
                            "Signature: 8a477f597d28d172789f06886806bc55\n"
                            "# This directory can be filled again from the network.\n"
                            "# See https://bford.info/cachedir/\n");
}

}  // namespace lq::net

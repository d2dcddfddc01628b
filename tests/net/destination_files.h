#pragma once
// A destination's task, done without a network.

#include <fstream>
#include <string>

#include "common/net/destination.h"
#include "tests/support/scratch.h"

namespace lq::net {

/// A small file of that content under a made-up hash.
inline RepoFile small_file(const std::string& path, const std::string& content, char hash) {
  return {path, content.size(), std::string(40, hash), "", ""};
}

/// Brings the content as a download does.
inline void bring(Destination& destination, const RepoFile& file, const std::string& content) {
  const DownloadTask task = destination.task(file);
  std::ofstream(task.partial, std::ios::binary) << content;
  task.publish();
}

}  // namespace lq::net

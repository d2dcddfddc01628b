#pragma once
// The hash of each whole file, computed while the run is still going: a thread follows the finished
// beginning of every file and reads it back, mostly from the page cache, so that little is left to
// do at the end.

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/io/digest.h"
#include "common/io/output_file.h"

namespace lq::stage {

class FileHasher {
 public:
  FileHasher();
  /// Abandons what is not hashed yet.
  ~FileHasher();
  FileHasher(const FileHasher&) = delete;
  FileHasher& operator=(const FileHasher&) = delete;

  /// Returns the number of the file. REQUIRES: `file` outlives the hasher.
  std::size_t add_file(const io::OutputFile& file, std::uint64_t size);
  /// These bytes are final.
  void finished(std::size_t file, std::uint64_t offset, std::uint64_t size);
  /// Waits until every byte of the file is hashed; SHA-256 in hex. `keep_waiting` is called about
  /// every 50 ms and may throw. REQUIRES: all bytes were given to finished().
  std::string wait(std::size_t file, const std::function<void()>& keep_waiting);

 private:
  struct File {
    const io::OutputFile* file = nullptr;
    std::uint64_t size = 0, position = 0;
    std::map<std::uint64_t, std::uint64_t> ready = {};  // offset to size, not yet hashed
    std::unique_ptr<io::Digest> hash = std::make_unique<io::Digest>(io::Digest::Algorithm::kSha256);
    std::string hex = {};
  };

  void run();
  std::optional<std::size_t> next_file() const;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<File> files_;
  std::exception_ptr error_;
  bool ended_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace lq::stage

#pragma once
// What a run will do, complete before any work starts: results with their files, exact sizes and
// offsets, and units.
//
// A *result* is one thing the user asked for: a file (GGUF), a set of part files (split GGUF) or a
// directory. A run may make several results from one reading of the inputs (`-t Q4_K_M,Q5_K_M`);
// each has its own fingerprint, lock, journal and manifest, so that one that is up to date is left
// alone while the others are made. A *unit* is a pure function of the inputs that fills planned
// extents of one or more results.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace lq::stage {

/// A file that a result is made from. Directories are listed file by file.
struct InputFile {
  std::filesystem::path path;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::string sha256;  // where the input's own manifest has it, else empty
};

/// One named input (role "model", "imatrix", ...). `content_id` is a SHA-256 in hex that tells
/// contents apart.
struct Input {
  std::string role;
  std::filesystem::path path;  // empty: no file, such as texts of the program
  std::vector<InputFile> files;
  std::string content_id;
  nlohmann::ordered_json
      origin;  // carried over from the input's own manifest, null when it has none
};

/// The size of a file, and of the extent of the one unit that makes it, that is known only once it
/// is made: such a file of a directory appears whole, by rename.
inline constexpr std::uint64_t kOpenSize = UINT64_MAX;

struct OutputFile {
  std::filesystem::path path;  // of a directory result: relative to the result's path
  std::uint64_t size = 0;
  std::uint64_t expected_size = 0;  // of kOpenSize: for the check of the disk
  bool temporary = false;           // lies in the scratch folder and is no part of the result

  bool is_open() const { return size == kOpenSize; }
};

/// Bytes [offset, offset + size) of files[file] of results[result]. Extents of different units
/// never overlap.
struct Extent {
  std::size_t result = 0;
  std::size_t file = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct Unit {
  std::string name = {};             // for progress and logs: "blk.3.ffn_down.weight[0:4096]"
  double cost = 0;                   // relative; cuts shards and estimates the time left
  std::vector<Extent> extents = {};  // at most one per result
  std::uint64_t tokens = 0;          // that pass through, of a plan that counts tokens
  bool concluding = false;  // needs all others: of no shard, but of the run that puts them together
};

enum class ResultKind { kFiles, kDirectory };

struct ResultPlan {
  ResultKind kind = ResultKind::kFiles;
  std::filesystem::path path;     // absolute; of a multi-file result the first part's path
  std::vector<OutputFile> files;  // kFiles: absolute paths, files[0].path == path
  std::vector<Input> inputs;
  nlohmann::ordered_json options;  // every effective option that changes bytes, normalised
  nlohmann::ordered_json
      summary;  // the manifest's `result` block as far as it is known before work
  std::string fingerprint() const;  // SHA-256 hex over tool, format version, options, content ids
  std::string tool;
  int format_version = 1;
  /// Of a directory result: a folder inside it for what only the run needs; gone before the result
  /// appears. Empty = none.
  std::filesystem::path scratch;
  std::uint64_t scratch_bytes = 0;  // at most in it at one time
};

/// Whether units may run at once, or one after the other in their order, each with all threads, the
/// one before being recorded.
enum class Order { kAny, kSequential };

/// What progress counts.
enum class Measure { kBytes, kTokens };

struct Plan {
  std::string tool, version;
  std::vector<std::string> argv;
  std::vector<ResultPlan> results;
  std::vector<Unit> units;
  std::uint64_t memory_bytes = 0;  // what the run needs at its thread count
  std::string memory_advice;       // the option that lowers it, for the message of exit 5
  std::uint64_t read_bytes = 0;    // from the inputs
  std::string commit;              // of the source the tool was built from, where known
  Order order = Order::kAny;
  Measure measure = Measure::kBytes;
  bool is_one_shard = false;  // the tool has cut the work itself: a shard's run does all units
};

/// Bytes or tokens of a unit, as the plan measures. Bytes of files of open size count as none.
std::uint64_t amount_of(const Plan& plan, const Unit& unit);

}  // namespace lq::stage

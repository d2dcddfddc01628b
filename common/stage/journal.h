#pragma once
// The journal: which units of a result are finished, on disk beside the part file.
//
//   {"format":1,"tool":...,"fingerprint":...,"options":{...},...} 0123456789abcdef
//   {"file":0,"offset":4096,"size":4096,"xxh3":"..."} 89abcdef01234567
//   ...
//   {"final":{the manifest}} 76543210fedcba98
//
// One JSON object a line, then the first 16 hex digits of the SHA-256 of the object's text. A line
// is appended only after the unit's bytes are on disk. A unit is recognised by the extent that it
// fills, so that a run that makes other results from the same units, or cuts them differently,
// still uses what fits. The last line may be torn by a kill and is then ignored; any other broken
// line means that the file cannot be trusted.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lq::stage {

constexpr int kJournalFormat = 1;

struct FinishedUnit {
  std::size_t file = 0;
  std::uint64_t offset = 0, size = 0;
  std::string xxh3;
};

struct JournalContents {
  std::optional<nlohmann::json>
      header;  // empty when there is no journal, or only a torn first line
  std::vector<FinishedUnit> units;
  std::optional<nlohmann::json> final_manifest;
  std::uint64_t intact_bytes = 0;  // without a torn last line
};

/// Throws CheckpointError for a broken line that is not the last, a newer format, or a file that
/// cannot be read.
JournalContents read_journal(const std::filesystem::path& path);

/// Appends lines. Thread rule: one thread at a time.
class JournalWriter {
 public:
  /// Continues a journal after its intact bytes.
  JournalWriter(std::filesystem::path path, std::uint64_t intact_bytes);
  /// Starts or replaces a journal; its first line is there complete or not at all.
  JournalWriter(std::filesystem::path path, const nlohmann::json& header);
  ~JournalWriter();
  JournalWriter(JournalWriter&& other) noexcept;
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;
  JournalWriter& operator=(JournalWriter&&) = delete;

  /// One write and one sync for all of them. Throws OutputError.
  void append(std::span<const FinishedUnit> units);
  void append_final(const nlohmann::json& manifest);

 private:
  void append_text(const std::string& text);

  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace lq::stage

#pragma once
// The hidden states of a lane between two layers, on disk: [n_tokens, hidden] in float32. A run that
// was killed goes on from them.

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/calibration/lanes.h"
#include "common/forward/weights.h"
#include "common/stage/scratch_file.h"

namespace lq::calibration {

class HiddenStates {
 public:
  /// Empty where they are not there, of another run or damaged.
  static std::optional<HiddenStates> open(const std::filesystem::path& path, const std::string& tag,
                                          std::size_t n_tokens, std::size_t hidden);

  /// [n, hidden] from token `first` on.
  std::vector<float> read(std::size_t first, std::size_t n) const;

 private:
  HiddenStates(stage::ScratchReader file, std::size_t hidden)
      : file_(std::move(file)), hidden_(hidden) {}

  stage::ScratchReader file_;
  std::size_t hidden_;
};

/// Appends rows in order. Throws OutputError.
class HiddenStatesWriter {
 public:
  HiddenStatesWriter(std::filesystem::path path, const std::string& tag)
      : file_(std::move(path), tag) {}

  void write(std::span<const float> rows) { file_.write(std::as_bytes(rows)); }
  void finish() { file_.finish(); }

 private:
  stage::ScratchWriter file_;
};

/// Writes the states that enter layer 0: the embeddings of a lane's tokens, batch after batch.
void write_embeddings(const forward::WeightSource& weights, const Lane& lane, std::size_t hidden,
                      std::filesystem::path path, const std::string& tag);

}  // namespace lq::calibration

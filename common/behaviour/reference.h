#pragma once
// Predictions of a model in a file (reference.md has the layout), so that the model itself need not
// run again for the next one that is compared with it.

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

#include "common/behaviour/predictions.h"
#include "common/behaviour/reference_header.h"
#include "common/io/input_file.h"
#include "common/io/zstd.h"

namespace lq::behaviour {

/// Writes predictions; the file appears whole or not at all, and its bytes do not depend on the number of
/// threads. Memory: a block of predictions and half of it again. Throws OutputError, and as
/// Predictions::read.
void save_reference(const std::filesystem::path& path, const ReferenceFacts& facts,
                    Predictions& predictions, int n_threads);

class SavedReference final : public Predictions {
 public:
  /// Reads the whole file once for its checksum. Where expected.model_id is empty, any model's will
  /// do. Throws ModelNotFoundError for a file that cannot be opened; ValidationError for one that is
  /// damaged, of another kind, or of other facts than those expected.
  SavedReference(const std::filesystem::path& path, const ReferenceFacts& expected, int n_threads);

  std::size_t n_positions() const override { return facts_.n_positions; }
  std::size_t vocabulary() const override { return facts_.vocabulary; }
  void read(std::size_t i, PredictionBlock& block) override;
  const ReferenceFacts& facts() const { return facts_; }

 private:
  void read_strip(std::size_t first, std::size_t n, PredictionBlock& block);

  const io::InputFile file_;
  const int n_threads_;
  ReferenceFacts facts_;
  std::optional<io::ZstdReader> reader_;
  std::vector<std::byte> strip_;
};

}  // namespace lq::behaviour

#pragma once
// The tensors of a result as they are stored: their values as everything else reads them, and
// beside them the steps of their grids and what they would be if their codes stood in another
// order.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/forward/weights.h"
#include "common/subject/subject.h"

namespace lq::fidelity {

/// How a tensor is stored.
struct Storage {
  std::string name;     // "Q4_K", "4-bit codes", "BF16"
  int bits = 0;         // of a quantized tensor, for each weight, rounded down; 0: plain floats
  double rounding = 0;  // of plain floats: largest relative error of rounding to the type

  bool quantized() const { return bits > 0; }
};

/// Codes as someone would have read them who has another idea of where they stand.
struct CodeOrder {
  std::string_view name;  // "the codes of each byte are in reverse order"
  /// Codes are exchanged within so many, and code i is where at(i, unit) is read.
  std::size_t unit;
  std::size_t (*at)(std::size_t i, std::size_t unit);
  bool along_rows = false;  // units lie across the rows
  bool of_zeros = false;    // zero points are exchanged as well, always across the rows
};

/// A tensor, opened. Thread rule: all members from any thread.
class StoredTensor {
 public:
  virtual ~StoredTensor() = default;
  /// Elements from `first` on, as forward::WeightSource::read().
  virtual void read(std::size_t first, std::span<float> out) const = 0;
  /// The step of the grid that each element is on, with its sign; false where values are on no grid
  /// of even steps.
  virtual bool read_steps(std::size_t first, std::span<float> out) const;
  /// Orders that its codes can be tried in.
  virtual std::span<const CodeOrder> orders() const { return {}; }
  /// As read() of one of orders().
  virtual void read_ordered(const CodeOrder& order, std::size_t first, std::span<float> out) const;
};

class StoredModel {
 public:
  virtual ~StoredModel() = default;
  /// REQUIRES: the result has the tensor, here and below.
  virtual Storage storage(const forward::WeightKey& key) const = 0;
  /// Quantized linears of a directory are decoded here, and kept as codes, a byte each. Throws
  /// ValidationError for codes, zero points and scales that cannot be.
  virtual std::unique_ptr<StoredTensor> open(const forward::WeightKey& key) const = 0;
  /// As its container calls it: "blk.0.attn_q.weight".
  virtual std::string name(const forward::WeightKey& key) const = 0;
};

/// `path` is what `subject` was opened from; `subject` is referred to.
std::unique_ptr<const StoredModel> open_stored(const std::filesystem::path& path,
                                               const subject::Subject& subject);

/// The parts of open_stored().
std::unique_ptr<const StoredModel> open_stored_directory(const std::filesystem::path& path,
                                                         const subject::Subject& subject);
std::unique_ptr<const StoredModel> open_stored_gguf(const std::filesystem::path& path,
                                                    const subject::Subject& subject);
/// Values alone, as the subject reads them.
std::unique_ptr<StoredTensor> plain_tensor(const forward::WeightSource& weights,
                                           const forward::WeightKey& key);
/// The row of the family's table that a key is of.
const model::TensorRow& table_row(const model::Architecture& architecture, model::TensorRole role);

}  // namespace lq::fidelity

#pragma once
// A tensor of a result beside that of the reference.

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "common/fidelity/stored_model.h"
#include "common/forward/weights.h"

namespace lq::fidelity {

/// Thread rule: all members from any thread.
struct TensorPair {
  forward::WeightKey key;
  std::string name;  // in the result
  Storage storage = {};
  std::size_t rows = 0, columns = 0;  // a vector is one row
  const forward::WeightSource* reference = nullptr;
  std::unique_ptr<const StoredTensor> result = {};  // nullptr: cannot be read, for this reason
  std::string problem = {};

  bool is_matrix() const { return rows > 1; }
};

/// Whole rows of both, evenly spaced.
struct RowSample {
  std::vector<std::size_t> rows = {};
  std::size_t columns = 0;
  std::vector<float> w = {}, q = {};  // [rows.size(), columns]: reference and result
};

/// At most 256 rows, fewer where they are long: about 2^20 elements, but 16 rows. Throws
/// ValidationError for values that are not finite.
RowSample sample_rows(const TensorPair& pair);

}  // namespace lq::fidelity

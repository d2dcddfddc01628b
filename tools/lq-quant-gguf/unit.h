#pragma once
// The work of one unit: read some rows of a tensor, widen them to float32, encode them for every
// wanted result.

#include <cstddef>

#include "common/stage/run_stage.h"
#include "tools/lq-quant-gguf/plan.h"

namespace lq::quant_gguf {

class GgufWork : public stage::UnitWork {
 public:
  explicit GgufWork(const Job& job) : job_(job) {}

  /// Throws ValidationError for a weight that is not finite, naming tensor, row and column.
  void run(std::size_t unit, stage::UnitSink& sink) override;
  std::uint64_t bytes_read() const override { return job_.checkpoint.weights->bytes_read(); }

 private:
  const Job& job_;
};

}  // namespace lq::quant_gguf

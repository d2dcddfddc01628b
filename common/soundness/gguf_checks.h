#pragma once
// The checks of a GGUF: what llama.cpp looks at when it loads one, and what it does not.

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/gguf/reader.h"
#include "common/model/architecture.h"
#include "common/soundness/pass.h"
#include "common/soundness/report.h"
#include "common/soundness/tallies.h"

namespace lq::soundness {

class GgufChecks {
 public:
  /// `reader` is referred to.
  explicit GgufChecks(const gguf::Reader& reader) : reader_(reader) {}

  /// Metadata, tensors, tokenizer. No tensor is read.
  void check_headers(Report& report);
  /// `jobs` are those of the files of the reader, in their order.
  void add_segments(std::vector<FileJob>& jobs);
  void judge(Report& report) const;

  /// nullptr when it is not known.
  const model::Architecture* architecture() const { return architecture_; }

 private:
  void check_keys(std::string_view architecture, Report& report) const;
  void compare_sizes(std::string_view architecture, Report& report) const;
  void check_tensors(Report& report);
  std::uint64_t n_tokens() const;

  const gguf::Reader& reader_;
  const model::Architecture* architecture_ = nullptr;
  std::deque<BlockTally> blocks_;
  std::deque<ValueTally> floats_;
  std::vector<std::pair<const gguf::TensorInfo*, const BlockTally*>> block_tensors_;
  std::vector<std::pair<const gguf::TensorInfo*, const ValueTally*>> float_tensors_;
};

}  // namespace lq::soundness

#pragma once
// A Hugging Face checkpoint seen as the GGUF model it becomes: which tensors, under which names,
// from which source rows, in the order of llama.cpp's quantizer; and the metadata that a runtime
// needs.

#include <optional>
#include <string>
#include <vector>

#include "common/gguf/metadata.h"
#include "common/model/architecture.h"
#include "common/model/checkpoint.h"

namespace lq::model {

struct GgufTensor {
  std::string name;  // "blk.0.attn_q.weight"
  TensorRole role;
  int layer = -1;                              // -1 outside the blocks
  std::vector<std::uint64_t> dims;             // ne0 first
  const tensor::TensorInfo* source = nullptr;  // nullptr: `generated` holds the values
  std::vector<float> generated;
  // > 0: rows are interleaved in so many heads (gguf_rows.h), the elements of a bias
  // like those of its weight
  int interleave_heads = 0;
  bool is_matrix = false;  // a 2-D ".weight" that a mix may quantize; everything else is F32

  std::uint64_t row_elems() const { return dims[0]; }
  std::uint64_t n_rows() const;
  /// Row of the source that row `row` of this matrix comes from; of a vector, the element.
  std::uint64_t source_row(std::uint64_t row) const;
};

/// Sorted as llama.cpp's quantizer sorts: names outside the blocks in byte order, then by block,
/// then by name. Checks that every tensor of the architecture is there with the shape that the
/// config implies, all problems reported at once (ValidationError). Throws UnsupportedError for a
/// checkpoint that is quantized already and for weights that the runtime of the architecture has no
/// place for (biases). The result points into `checkpoint.weights`.
std::vector<GgufTensor> gguf_tensors(const Checkpoint& checkpoint);

/// What a user should know before a conversion, a sentence each: tensors that are left out,
/// behaviour that GGUF's runtime does not share.
std::vector<std::string> gguf_warnings(const Checkpoint& checkpoint);

/// All values of a tensor that is no matrix (norms, biases, rope factors), in output order. Throws
/// ValidationError when the file has become shorter.
std::vector<float> read_vector(const Checkpoint& checkpoint, const GgufTensor& tensor);

/// general.*, hyperparameters, rope scaling, tokenizer, chat template; not file_type or
/// quantization keys. `pre` overrides the pre-tokenizer name. Throws what read_vocabulary() throws,
/// and UnsupportedError for a pre-tokenizer that is not recognised while `pre` is not given.
gguf::Metadata gguf_metadata(const Checkpoint& checkpoint, const std::optional<std::string>& pre);

}  // namespace lq::model

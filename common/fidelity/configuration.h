#pragma once
// Whether what stands around the tensors of a result is what the reference implies: hyperparameters
// and vocabulary.

#include "common/base/finding.h"
#include "common/fidelity/identity.h"

namespace lq::fidelity {

/// Of a GGUF: each key that the converter writes from the reference is there with the same value,
/// hyperparameters ("configuration") and tokenizer ("vocabulary") alike, and no key scales the rope
/// or narrows attention that the converter would not write. Of a directory: config.json is the same
/// but for the quantization and the type of the floats, and so is each token of the vocabulary. Keys
/// that only one side has are remarks where they change nothing that is known.
/// A reference that is a GGUF itself is compared by its numbers alone. Throws as
/// model::gguf_metadata() and text::open_tokenizer() for what is wrong with the reference.
base::Findings configuration_findings(const Models& models);

/// Whether the weights of both have the same shapes: REQUIRED of compare().
bool has_equal_shapes(const Models& models);

}  // namespace lq::fidelity

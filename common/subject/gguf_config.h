#pragma once
// What config.json would say of the model in a GGUF, from its metadata and the shapes of its
// tensors: the reverse of what gguf_metadata() writes.
//
// What the keys do not hold is not there: windows of attention and dynamic scaling of a family whose
// runtime has neither, the pairs between which YaRN's blend begins and ends. Of Llama 3's scaling the
// divisors are there (rope_freqs.weight) and not the parameters that they come from.

#include "common/gguf/reader.h"
#include "common/model/architecture.h"

namespace lq::subject {

/// The family that general.architecture names. Throws ValidationError when it names none,
/// UnsupportedError for one that is not run.
const model::Architecture& gguf_architecture(const gguf::Reader& reader);

/// `path` is that of the first file; `architecture` and `model_type` are those of the family's first
/// class. Throws ValidationError for a key that is missing or has an impossible value,
/// UnsupportedError for a model that uses what the family's forward pass does not have.
model::ModelConfig gguf_config(const gguf::Reader& reader, const model::Architecture& architecture);

}  // namespace lq::subject

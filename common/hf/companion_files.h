#pragma once
// The files of a model directory that belong to a quantized copy as they are.

#include <filesystem>
#include <vector>

namespace lq::hf {

/// Tokenizer, chat templates, preprocessors, generation settings, code, licences: paths relative to
/// `dir`, sorted. Not the configuration and the model card, which are written anew; not weights in
/// any format, not manifests. Throws ValidationError when the directory cannot be read.
std::vector<std::filesystem::path> copied_companions(const std::filesystem::path& dir);

}  // namespace lq::hf

#pragma once
// Failures of writing, with the errno text as the reason and a fix that fits the errno.

#include <filesystem>
#include <string>

#include "common/base/errors.h"

namespace lq::io {

/// The path as a word of a shell command line: quoted only where it has to be.
std::string shell_quoted(const std::filesystem::path& path);

/// `what` names the action ("cannot write X"); `path` is the place the fix speaks of.
base::OutputError output_error(std::string what, int error_number,
                               const std::filesystem::path& path);

}  // namespace lq::io

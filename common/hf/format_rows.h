#pragma once
// The rows of the table of formats, one per file of this folder.

#include "common/hf/format.h"

namespace lq::hf {

extern const Format kGptq, kGptqV2, kCompressedTensors, kAwq;

}  // namespace lq::hf

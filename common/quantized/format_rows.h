#pragma once
// The rows of the table of formats, one per file of this folder.

#include "common/quantized/format.h"

namespace lq::quantized {

extern const Format kGptq, kGptqV2, kCompressedTensors, kAwq;

}  // namespace lq::quantized

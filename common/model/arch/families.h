#pragma once
// One constant per model family; arch_table.cpp lists them.

#include "common/model/architecture.h"

namespace lq::model::arch {

extern const Architecture kLlama;
extern const Architecture kQwen2;
extern const Architecture kQwen3;

}  // namespace lq::model::arch

#pragma once
// What the harness can do; each command gets its operands after the command's own name (operand 0).

#include "tests/peers/llama/arguments.h"

namespace peer {

int selfcheck(const Arguments& arguments);
int info(const Arguments& arguments);
int quantize(const Arguments& arguments);
int planned_types(const Arguments& arguments);

int tokenize_texts(const Arguments& arguments);
int logits(const Arguments& arguments);
int divergence(const Arguments& arguments);
int collect_importance(const Arguments& arguments);
int bench_prompt(const Arguments& arguments);

int encode(const Arguments& arguments);
int decode(const Arguments& arguments);
int bench_encode(const Arguments& arguments);

}  // namespace peer

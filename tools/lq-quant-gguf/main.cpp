#include "tools/lq-quant-gguf/tool.h"

int main(int argc, char** argv) {
  lq::quant_gguf::QuantGguf tool;
  return lq::cli::run_tool(argc, argv, tool);
}

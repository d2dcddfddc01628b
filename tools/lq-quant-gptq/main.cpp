#include "tools/lq-quant-gptq/tool.h"

int main(int argc, char** argv) {
  lq::quant_gptq::QuantGptq tool;
  return lq::cli::run_tool(argc, argv, tool);
}

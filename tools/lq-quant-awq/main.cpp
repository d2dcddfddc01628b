#include "tools/lq-quant-awq/tool.h"

int main(int argc, char** argv) {
  lq::quant_awq::QuantAwq tool;
  return lq::cli::run_tool(argc, argv, tool);
}

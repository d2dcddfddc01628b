#include "tools/lq-verify/tool.h"

int main(int argc, char** argv) {
  lq::verify::Verify tool;
  return lq::cli::run_tool(argc, argv, tool);
}

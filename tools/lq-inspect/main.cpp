#include "tools/lq-inspect/tool.h"

int main(int argc, char** argv) {
  lq::inspect::Inspect tool;
  return lq::cli::run_tool(argc, argv, tool);
}

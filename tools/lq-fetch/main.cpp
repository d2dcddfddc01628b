#include "tools/lq-fetch/tool.h"

int main(int argc, char** argv) {
  lq::fetch::Fetch tool;
  return lq::cli::run_tool(argc, argv, tool);
}

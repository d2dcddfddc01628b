#include "tools/lq-calibrate/tool.h"

int main(int argc, char** argv) {
  lq::calibrate::Calibrate tool;
  return lq::cli::run_tool(argc, argv, tool);
}

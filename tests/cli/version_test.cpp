#include "common/cli/version.h"

#include <gtest/gtest.h>

namespace lq::cli {
namespace {

TEST(Version, IsTheFirstLine) {
  EXPECT_EQ(version_text("lq-toy", false),
            "lq-toy (lq) " + std::string(version()) +
                "\nLicense MIT: you are free to change and redistribute it.\n"
                "There is NO WARRANTY, to the extent permitted by law.\n");
}

TEST(Version, NamesCompilerInstructionSetsAndLibrariesOnRequest) {
  const std::string text = version_text("lq-toy", true);
  EXPECT_EQ(text.rfind(version_text("lq-toy", false), 0), 0U);
  for (const char* part : {"compiler: ", "instruction sets: ", "fmt ", "spdlog ", "nlohmann-json ",
                           "yaml-cpp ", "Highway ", "OpenSSL "}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << text;
  }
}

}  // namespace
}  // namespace lq::cli

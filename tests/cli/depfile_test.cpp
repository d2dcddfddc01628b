#include "common/cli/depfile.h"

#include <cstdlib>
#include <gtest/gtest.h>

#include "tests/support/scratch.h"

namespace lq::cli {
namespace {

using Words = std::vector<std::string>;

TEST(DepfileText, HasARuleAndAnEmptyOnePerInput) {
  EXPECT_EQ(depfile_text({"out.gguf"}, {"m/config.json", "m/a.safetensors"}),
            "out.gguf: \\\n  m/config.json \\\n  m/a.safetensors\n"
            "m/config.json:\nm/a.safetensors:\n");
}

TEST(DepfileText, EscapesWhatMakeTakesSpecially) {
  EXPECT_EQ(depfile_text({"a b#c$d:e%f"}, {"g h%i"}),
            "a\\ b\\#c$$d\\:e\\%f: \\\n  g\\ h%i\ng\\ h\\%i:\n");
}

TEST(DepfileText, RefusesNewlines) {
  const auto error = testing::error_of<base::UsageError>([] { depfile_text({"out"}, {"a\nb"}); });
  EXPECT_STREQ(error.what(), "cannot write a depfile that names a\\x0Ab");
  EXPECT_EQ(error.fix(), "rename the file, or leave out --depfile");
}

TEST(DepfileText, IsUnderstoodByMake) {
  if (std::system("make --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "make is missing";
  const testing::ScratchDirectory scratch;
  const Words inputs = {"a b", "c#d", "e$f", "g:h", "i%j", "k\\ l", "m\\n"};
  const std::string target = "out%1 $x#y:z";
  for (const std::string& input : inputs) scratch.write(input, "");
  scratch.write("rules.mk", depfile_text({target}, inputs));
  scratch.write("main.mk",
                "all: out%1\\ $$x\\#y\\:z\nout\\%1\\ $$x\\#y\\:z:\n\ttouch done '$@'\n"
                "include rules.mk\n");
  const auto make = [&] {
    const std::string command = "cd '" + scratch.path().string() +
                                "' && rm -f done && make -f "
                                "main.mk all > log 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0) << testing::read_file(scratch.path() / "log");
    return std::filesystem::exists(scratch.path() / "done");
  };
  EXPECT_TRUE(make());
  EXPECT_FALSE(make()) << "nothing has changed";
  for (const std::string& input : inputs) {
    const auto later = std::filesystem::file_time_type::clock::now() + std::chrono::seconds(5);
    std::filesystem::last_write_time(scratch.path() / target, later - std::chrono::hours(1));
    for (const std::string& other : inputs) {
      std::filesystem::last_write_time(scratch.path() / other, later - std::chrono::hours(2));
    }
    EXPECT_FALSE(make()) << input;
    std::filesystem::last_write_time(scratch.path() / input, later - std::chrono::minutes(30));
    EXPECT_TRUE(make()) << input << " is newer";
  }
  std::filesystem::remove(scratch.path() / "g:h");
  EXPECT_TRUE(make()) << "an input that is gone makes the target out of date";
}

TEST(DepfileTargets, AreNamedAsTyped) {
  EXPECT_EQ(depfile_targets({"/w/out.gguf"}, "./out.gguf", "/w"), (Words{"./out.gguf"}));
  EXPECT_EQ(depfile_targets({"/w/m-F16.gguf", "/w/d/m-F32.gguf"}, "{type}.gguf", "/w"),
            (Words{"m-F16.gguf", "d/m-F32.gguf"}));
  EXPECT_EQ(depfile_targets({"/w/a.gguf", "/w/b.gguf"}, "/w/{type}.gguf", "/w"),
            (Words{"/w/a.gguf", "/w/b.gguf"}));
  EXPECT_EQ(depfile_targets({"/w/model-F16.gguf"}, "", "/w"), (Words{"model-F16.gguf"}));
}

}  // namespace
}  // namespace lq::cli

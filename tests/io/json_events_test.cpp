#include "common/io/json_events.h"

#include <gtest/gtest.h>

#include "tests/support/scratch.h"

namespace lq::io {
namespace {

using lq::testing::error_of;

/// Writes down where each value stands: "a.b=7".
class Recorder final : public JsonEvents {
 public:
  using JsonEvents::JsonEvents;
  std::string seen;

 protected:
  void value(const JsonValue& value) override {
    for (std::size_t level = 0; level < depth(); ++level) {
      seen += (level == 0 ? "" : ".") + key(level);
    }
    seen += "=";
    if (value.kind == JsonValue::Kind::kUnsigned) seen += std::to_string(value.number);
    if (value.kind == JsonValue::Kind::kString) seen += value.text;
    seen += " ";
  }
};

std::string why(std::string_view text) {
  const auto error =
      error_of<base::ValidationError>([&] { Recorder().parse(text, "cannot read x"); });
  EXPECT_STREQ(error.what(), "cannot read x");
  return error.why();
}

TEST(JsonEvents, TellWhereEveryValueStands) {
  Recorder recorder;
  recorder.parse(R"({"a": {"b": 7, "c": [1, "t"]}, "d": null})", "s");
  EXPECT_EQ(recorder.seen, "a= a.b=7 a.c= a.c.=1 a.c.=t d= ");
}

TEST(JsonEvents, RefuseWhatOneParserReadsAndAnotherDoesNot) {
  EXPECT_EQ(why(R"({"a": 1, "a": 2})"), "the key `a` appears twice");
  EXPECT_EQ(why("\xEF\xBB\xBF{}"), "it does not start with `{`");
  EXPECT_EQ(why("[1]"), "it does not start with `{`");
  EXPECT_EQ(why(std::string_view("{}\0", 3)), "it is not valid JSON at byte 3");
  EXPECT_EQ(why("{\"a\": \"\xFF\"}"), "it is not valid UTF-8 at byte 8");
  EXPECT_EQ(why(R"({"a":)" + std::string(JsonEvents::kMaxDepth, '[')),
            "objects and arrays stand more than 32 deep in each other");
}

TEST(JsonEvents, TakeAnyOutermostValueWhereAsked) {
  const auto seen = [](std::string_view text) {
    Recorder recorder(JsonEvents::Outermost::kAny);
    recorder.parse(text, "cannot read x");
    return recorder.seen;
  };
  EXPECT_EQ(seen(" \"t\"\n"), "=t ");
  EXPECT_EQ(seen("[5, [6]]"), "= =5 = .=6 ");
  EXPECT_EQ(seen(R"({"a": [1]})"), "= a= a.=1 ");
  const auto refusal = [&](std::string_view text) {
    return error_of<base::ValidationError>([&] { seen(text); }).why();
  };
  EXPECT_EQ(refusal("[1] 2"), "it is not valid JSON at byte 5");
  EXPECT_EQ(refusal(""), "it is not valid JSON at byte 1");
  EXPECT_EQ(refusal("\xEF\xBB\xBF[1]"), "it starts with a byte order mark");
}

}  // namespace
}  // namespace lq::io

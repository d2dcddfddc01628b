#include "common/text/post_processor.h"

#include <gtest/gtest.h>

#include "tests/support/scratch.h"
#include "tests/text/part_of.h"

namespace lq::testing {
namespace {

using Ids = std::vector<std::uint32_t>;

text::SurroundingIds ids_of(const std::string& processor) {
  return text::read_post_processor(PartOf(processor, "post-processor").part);
}

template <class E>
std::string why(const std::string& processor) {
  return error_of<E>([&] { ids_of(processor); }).why();
}

std::string in_template(const std::string& pieces) {
  return R"({"type": "TemplateProcessing", "special_tokens": {"<s>": {"ids": [1, 7]}, "</s>": {"ids": [2]}},
             "single": [)" +
         pieces + "]}";
}
const std::string kBos = R"({"SpecialToken": {"id": "<s>", "type_id": 0}})";
const std::string kEos = R"({"SpecialToken": {"id": "</s>", "type_id": 0}})";
const std::string kText = R"({"Sequence": {"id": "A", "type_id": 0}})";

TEST(PostProcessor, OfATemplateSurroundsTheText) {
  const text::SurroundingIds ids = ids_of(in_template(kBos + "," + kText + "," + kEos));
  EXPECT_EQ(ids.before, (Ids{1, 7}));
  EXPECT_EQ(ids.behind, (Ids{2}));
}

TEST(PostProcessor, OfBertHasOneTokenAtEachEnd) {
  for (const char* type : {"BertProcessing", "RobertaProcessing"}) {
    const text::SurroundingIds ids =
        ids_of(std::string(R"({"type": ")") + type + R"(", "cls": ["[C]", 5], "sep": ["[S]", 6]})");
    EXPECT_EQ(ids.before, (Ids{5}));
    EXPECT_EQ(ids.behind, (Ids{6}));
  }
}

TEST(PostProcessor, OfASequenceWrapsWhatTheEarlierMade) {
  const text::SurroundingIds ids = ids_of(
      R"({"type": "Sequence", "processors": [{"type": "ByteLevel"},)" +
      in_template(kText + "," + kEos) + "," + in_template(kBos + "," + kText + "," + kBos) + "]}");
  EXPECT_EQ(ids.before, (Ids{1, 7}));
  EXPECT_EQ(ids.behind, (Ids{2, 1, 7}));
  EXPECT_TRUE(ids_of("null").before.empty());
}

TEST(PostProcessor, SaysWhatIsWrong) {
  EXPECT_EQ(why<base::UnsupportedError>(in_template(kBos)),
            "the template of its post-processor does not have the text once");
  EXPECT_EQ(why<base::ValidationError>(in_template(R"({"SpecialToken": {"id": "x"}})")),
            "its post-processor does not say what 'x' is");
  EXPECT_EQ(why<base::ValidationError>(in_template("5")),
            "a piece of its post-processor's template is of no kind");
  EXPECT_EQ(why<base::ValidationError>(R"({"type": "TemplateProcessing"})"),
            "the template of its post-processor is not a list");
  EXPECT_EQ(why<base::ValidationError>(R"({"type": "BertProcessing", "cls": 1, "sep": 2})"),
            "a token of its post-processor has no id");
  EXPECT_EQ(why<base::UnsupportedError>(R"({"type": "Postman"})"),
            "its post-processor is of the unknown kind 'Postman'");
}

}  // namespace
}  // namespace lq::testing

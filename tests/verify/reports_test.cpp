// An examination and its reports: the bundled model as a GGUF, sound and spoilt, against itself.

#include "common/verify/reports.h"

#include <gtest/gtest.h>

#include "common/verify/examination.h"
#include "tests/subject/gguf_files.h"
#include "tests/support/scratch.h"

namespace lq::verify {
namespace {

const std::filesystem::path kData = LQ_TEST_DATA;

class ReportsTest : public ::testing::Test {
 protected:
  ReportsTest() {
    testing::GgufFile file = testing::converted(model::open_checkpoint(kData / "tiny-llama"));
    request_.results.push_back(file.write(scratch_.path() / "sound.gguf"));
    std::ranges::fill(file.tensor("blk.2.ffn_up.weight").bytes, '\0');
    request_.results.push_back(file.write(scratch_.path() / "spoilt<b>.gguf"));
    request_.reference = kData / "tiny-llama";
    request_.n_threads = 2;
    request_.behaviour.emplace();
    request_.behaviour->text = testing::read_file(kData / "tiny-llama-golden" / "eval.txt");
    request_.behaviour->cut = {.window = 128, .max_windows = 2};
    request_.behaviour->continued_tokens = 4;
  }

  const testing::ScratchDirectory scratch_;
  ExaminationRequest request_;
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

TEST_F(ReportsTest, TellASoundResultFromASpoiltOne) {
  const std::vector<Verdict> verdicts = examine(request_);
  ASSERT_EQ(verdicts.size(), 2U);
  const Verdict &sound = verdicts[0], &spoilt = verdicts[1];
  EXPECT_TRUE(sound.is_good()) << joined(text_report({&sound, 1}, {}));
  ASSERT_NE(sound.grade(), nullptr);
  EXPECT_EQ(sound.grade()->name, "excellent");
  EXPECT_LT(relative_error(*sound.comparison), 1e-6);
  EXPECT_FALSE(spoilt.is_good());
  EXPECT_TRUE(std::ranges::any_of(spoilt.findings, [](const base::Finding& finding) {
    return finding.check == "identity" && finding.tensor == "blk.2.ffn_up.weight";
  })) << joined(text_report({&spoilt, 1}, {}));

  const Heading heading{"/models/tiny-llama", "", "lq-verify 0"};
  const std::string text = joined(text_report(verdicts, heading));
  EXPECT_TRUE(has(text, "every check passed")) << text;
  EXPECT_TRUE(has(text, "FAULT identity: blk.2.ffn_up.weight")) << text;
  EXPECT_TRUE(has(text, "grade          excellent")) << text;

  const nlohmann::ordered_json json = json_report(verdicts, heading);
  EXPECT_FALSE(json["good"]);
  EXPECT_TRUE(json["results"][0]["good"]);
  EXPECT_NEAR(json["perplexity"].get<double>(), json["reference_perplexity"].get<double>(), 1e-3);
  EXPECT_LT(json["kld_mean"].get<double>(), 1e-5);
  EXPECT_GT(json["top1"].get<double>(), 0.99);
  EXPECT_EQ(json["results"][1]["findings"][0]["weight"], "fault");
  EXPECT_FALSE(json["results"][1]["runtimes"].empty());

  const std::string junit = junit_report(verdicts, 1.5);
  EXPECT_TRUE(
      has(junit, "<testsuite name=\"sound.gguf\" tests=\"12\" failures=\"0\" skipped=\"0\">"))
      << junit;
  EXPECT_TRUE(has(junit, "name=\"spoilt&lt;b&gt;.gguf\"")) << junit;
  EXPECT_TRUE(has(junit, "<failure message=\"blk.2.ffn_up.weight: ")) << junit;

  const std::string html = html_report(verdicts, heading);
  EXPECT_TRUE(has(html, "<h1>spoilt&lt;b&gt;.gguf</h1>"));
  EXPECT_FALSE(has(html, "spoilt<b>"));
  EXPECT_TRUE(has(html, "Size against quality"));
  EXPECT_TRUE(has(html, "How many positions have which KL divergence"));
  EXPECT_TRUE(has(html, ">ffn_up</text>"));
}

TEST_F(ReportsTest, OfOneResultWithoutAReferenceSayItsPerplexity) {
  request_.results.pop_back();
  request_.reference.reset();
  const std::vector<Verdict> verdicts = examine(request_);
  EXPECT_TRUE(verdicts[0].is_good());
  const nlohmann::ordered_json json = json_report(verdicts, {});
  EXPECT_GT(json["perplexity"].get<double>(), 10);
  EXPECT_FALSE(json.contains("kld_mean"));
  EXPECT_FALSE(json.contains("results"));
  EXPECT_TRUE(has(joined(text_report(verdicts, {})), "protocol lq, 2 windows, 254 tokens"));
  const std::string junit = junit_report(verdicts, 1);
  EXPECT_TRUE(has(junit, "tests=\"12\" failures=\"0\" skipped=\"4\"")) << junit;
  EXPECT_TRUE(has(junit, "name=\"identity\"><skipped/>")) << junit;
}

TEST_F(ReportsTest, OfAModelOfOtherShapesSayWhatIsOther) {
  request_.results.pop_back();
  request_.behaviour.reset();
  const testing::ScratchDirectory other;
  request_.reference =
      testing::write_random_model(other, testing::random_config("LlamaForCausalLM"));
  const std::vector<Verdict> verdicts = examine(request_);
  EXPECT_FALSE(verdicts[0].is_good());
  EXPECT_FALSE(verdicts[0].comparison);
  EXPECT_TRUE(std::ranges::any_of(verdicts[0].findings, [](const base::Finding& finding) {
    return finding.check == "configuration";
  }));
}

TEST_F(ReportsTest, CarryTheGatesThatAreMissed) {
  request_.results.erase(request_.results.begin());
  request_.gates.max_divergence = 1e-9;
  const std::vector<Verdict> verdicts = examine(request_);
  EXPECT_TRUE(std::ranges::any_of(verdicts[0].findings, [](const base::Finding& finding) {
    return finding.check == "max-kld";
  }));
}

}  // namespace
}  // namespace lq::verify

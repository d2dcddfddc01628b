#include "common/calibration/texts.h"

#include <fcntl.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

#include "common/calibration/default_texts.h"
#include "common/io/file_status.h"
#include "tests/support/scratch.h"

namespace lq::calibration {
namespace {

using testing::error_of;
using Strings = std::vector<std::string>;

/// Standard input holds `bytes` while it lives.
class StandardInput {
 public:
  explicit StandardInput(const std::string& bytes) : before_(::dup(STDIN_FILENO)) {
    const int fd = ::open(scratch_.write("input", bytes).c_str(), O_RDONLY | O_CLOEXEC);
    ::dup2(fd, STDIN_FILENO);
    ::close(fd);
  }
  ~StandardInput() {
    ::dup2(before_, STDIN_FILENO);
    ::close(before_);
  }
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;

 private:
  testing::ScratchDirectory scratch_;
  int before_;
};

Strings read_standard_input(const std::string& bytes) {
  const StandardInput input(bytes);
  return read_texts(Strings{"-"}).texts;
}

class TextsTest : public ::testing::Test {
 protected:
  Strings read(const std::string& name, const std::string& bytes,
               const std::string& field = "text") {
    return read_texts(Strings{scratch_.write(name, bytes)}, field).texts;
  }
  base::ValidationError error(const std::string& name, const std::string& bytes,
                              const std::string& field = "text") {
    return error_of<base::ValidationError>([&] { read(name, bytes, field); });
  }
  std::string subject(const std::string& name) const {
    return "cannot read calibration texts from " + (scratch_.path() / name).string();
  }

  testing::ScratchDirectory scratch_;
};

TEST_F(TextsTest, ATextFileIsOneTextWhateverIsInIt) {
  EXPECT_EQ(read("a.txt", " One\r\n\ntwo \n"), Strings{" One\r\n\ntwo \n"});
  EXPECT_EQ(read("a.TXT", R"(["a", "b"])"), Strings{R"(["a", "b"])"});
  EXPECT_EQ(read("a.txt", R"({"text": "a"})"), Strings{R"({"text": "a"})"});
}

TEST_F(TextsTest, AJsonFileHoldsAListOfStringsOrAnObjectWithOne) {
  EXPECT_EQ(read("a.json", R"(["a", "b\n\u00e9", ""])"), (Strings{"a", "b\n\u00e9", ""}));
  EXPECT_EQ(read("a.json", "\n[\n  \"a\",\n  \"b\"\n]\n"), (Strings{"a", "b"}));
  EXPECT_EQ(read("a.json", R"({"n": [["x"]], "text": ["a", "b"], "m": {"text": "y"}})"),
            (Strings{"a", "b"}));
  EXPECT_EQ(read("a.json", "{\n\"text\": [\n\"a\"\n]}\n"), Strings{"a"});
  EXPECT_EQ(read("a.json", "\xEF\xBB\xBF[\"a\"]"), Strings{"a"});
}

TEST_F(TextsTest, JsonLinesHoldAnObjectOrAStringEach) {
  EXPECT_EQ(read("a.jsonl", "{\"id\": 1, \"text\": \"a\"}\r\n\n\"b\"\n{\"text\": \"c\"}"),
            (Strings{"a", "b", "c"}));
  EXPECT_EQ(read("a.json", "\n{\"text\": \"a\"}\n{\"text\": \"b\"}\n"), (Strings{"a", "b"}));
  EXPECT_EQ(read("a.jsonl", "{\"text\": \"a\"}"), Strings{"a"});
  EXPECT_EQ(read("a.ndjson", "\xEF\xBB\xBF\"a\"\n\"b\"\n"), (Strings{"a", "b"}));
}

TEST_F(TextsTest, AFieldOfAnotherNameHoldsTheTextsWhereAsked) {
  EXPECT_EQ(read("a.jsonl", "{\"text\": \"a\", \"content\": \"b\"}\n", "content"), Strings{"b"});
  EXPECT_EQ(read("a.json", R"({"content": ["a", "b"]})", "content"), (Strings{"a", "b"}));
}

TEST_F(TextsTest, AnotherNameIsJsonWhereItLooksLikeIt) {
  EXPECT_EQ(read("a", R"(["a", "b"])"), (Strings{"a", "b"}));
  EXPECT_EQ(read("a.data", "{\n \"text\": [\"a\"]}"), Strings{"a"});
  EXPECT_EQ(read("a", "\"a\"\n\"b\"\n"), (Strings{"a", "b"}));
  for (const std::string plain :
       {"plain", "[1] A footnote.\n", "[[link]]", "{{ x }}", "\"Yes,\" she said.\n", "[", "12"}) {
    EXPECT_EQ(read("a.md", plain), Strings{plain});
  }
}

TEST_F(TextsTest, StandardInputIsReadWholeAndItsKindTold) {
  EXPECT_EQ(read_standard_input(" plain\r\n"), Strings{" plain\r\n"});
  EXPECT_EQ(read_standard_input("[\"a\",\n\"b\"]"), (Strings{"a", "b"}));
  EXPECT_EQ(read_standard_input("{\"text\": \"a\"}\n{\"text\": \"b\"}\n"), (Strings{"a", "b"}));
  const auto empty = error_of<base::ValidationError>([] { read_standard_input(""); });
  EXPECT_STREQ(empty.what(), "cannot read calibration texts from standard input");
  EXPECT_EQ(empty.why(), "it is empty");
}

TEST_F(TextsTest, SourcesAreReadInOrderAndStated) {
  const std::filesystem::path a = scratch_.write("a.txt", "first"),
                              b = scratch_.write("b.json", R"(["second"])");
  const StandardInput input("third");
  const Texts texts = read_texts(Strings{a, "-", b});
  EXPECT_EQ(texts.texts, (Strings{"first", "third", "second"}));
  ASSERT_EQ(texts.files.size(), 2U);
  EXPECT_EQ(texts.files[0].path, a);
  EXPECT_EQ(texts.files[1].path, b);
  EXPECT_EQ(texts.files[1].size, 10U);
  EXPECT_EQ(texts.files[1].mtime_ns, io::file_status(b)->mtime_ns);
}

TEST_F(TextsTest, TheContentIdTellsTextsApartAndNotTheirFiles) {
  const auto id = [&](const std::string& name, const std::string& bytes) {
    return read_texts(Strings{scratch_.write(name, bytes)}).content_id;
  };
  // printf '\2\0\0\0\0\0\0\0ab' | sha256sum
  EXPECT_EQ(id("a.txt", "ab"), "5dff2b3fa79721a8181b9beb1db6bcce93b482f9aa3a5c9b864fc4429e31d5f2");
  EXPECT_EQ(id("b.json", R"(["ab"])"), id("a.txt", "ab"));
  EXPECT_NE(id("b.json", R"(["a", "b"])"), id("a.txt", "ab"));
  EXPECT_NE(id("b.json", R"(["a", "b"])"), id("b.json", R"(["b", "a"])"));
}

TEST_F(TextsTest, ThoseOfTheProgramAreItsDefaultTexts) {
  const Texts texts = built_in_texts();
  ASSERT_EQ(texts.texts.size(), default_texts().size());
  EXPECT_EQ(texts.texts[3], default_texts()[3].text);
  EXPECT_TRUE(texts.files.empty());
  EXPECT_EQ(texts.content_id.size(), 64U);
}

TEST_F(TextsTest, AMissingFileIsNotFound) {
  const auto missing = error_of<base::ModelNotFoundError>(
      [&] { read_texts(Strings{scratch_.path() / "none.txt"}); });
  EXPECT_EQ(missing.what(), "cannot open " + (scratch_.path() / "none.txt").string());
}

TEST_F(TextsTest, ASourceWithoutTextIsRefused) {
  EXPECT_EQ(error("a.txt", "").why(), "it is empty");
  EXPECT_EQ(error("a.json", "").why(), "it is empty");
  EXPECT_EQ(error("a.json", "").what(), subject("a.json"));
  EXPECT_EQ(error("a.json", "").fix(),
            "give a source with text, or leave out --data for the texts of the program");
  EXPECT_EQ(error("a.json", "[]").why(), "it holds no texts");
  EXPECT_EQ(error("a.json", R"({"text": []})").why(), "it holds no texts");
  const std::string blank = "all its texts are empty or white space only";
  EXPECT_EQ(error("a.json", R"(["", " \n"])").why(), blank);
  EXPECT_EQ(error("a.jsonl", "{\"text\": \"\"}\n{\"text\": \"\"}\n").why(), blank);
  EXPECT_EQ(error("a.txt", "\n\t \n").why(), blank);
  EXPECT_EQ(read("a.json", R"(["", "x"])"), (Strings{"", "x"}));
}

TEST_F(TextsTest, JsonOfAnotherShapeIsRefusedWithTheShapesThatWillDo) {
  EXPECT_EQ(error("a.json", "7").why(), "it is a number");
  EXPECT_EQ(error("a.json", "true").why(), "it is a truth value");
  EXPECT_EQ(error("a.json", "[\"a\", null]").why(), "element 2 of its list is null, no string");
  EXPECT_EQ(error("a.json", "[{\"text\": \"a\"}]").why(),
            "element 1 of its list is an object, no string");
  EXPECT_EQ(error("a", "[\n{\"text\": \"a\"}]").why(),
            "element 1 of its list is an object, no string");
  EXPECT_EQ(error("a", "[1, 2]").why(), "element 1 of its list is a number, no string");
  EXPECT_EQ(error("a.json", R"({"text": ["a", ["b"]]})").why(),
            "element 2 of its list is a list, no string");
  const auto of_field = error("a.json", R"({"text": {"a": "b"}})");
  EXPECT_EQ(of_field.what(), subject("a.json"));
  EXPECT_EQ(of_field.why(), "its `text` is an object");
  EXPECT_EQ(of_field.fix(),
            "write the texts as [\"TEXT\", ...], as {\"text\": [\"TEXT\", ...]}, or as {\"text\": "
            "\"TEXT\"} on a line each");
  const auto of_line = error("a.jsonl", "{\"text\": \"a\"}\n\n{\"text\": 5.5}\n");
  EXPECT_EQ(of_line.what(), subject("a.jsonl") + ", line 3");
  EXPECT_EQ(of_line.why(), "its `text` is a number");
}

TEST_F(TextsTest, AnObjectWithoutTheFieldIsRefusedWithTheFieldsItHas) {
  const auto named = error("a.jsonl", "\"a\"\n{\"content\": \"b\", \"\\u001B\": {\"text\": 1}}\n");
  EXPECT_EQ(named.what(), subject("a.jsonl") + ", line 2");
  EXPECT_EQ(named.why(), "it has no field `text`, but `content`, `\\x1B`");
  EXPECT_EQ(named.fix(), "name the field that holds the texts with --field");
  EXPECT_EQ(error("a.json", "{}").why(), "it has no field `text`, nor any other");
  EXPECT_EQ(error("a.json", R"({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1})").why(),
            "it has no field `text`, but `a`, `b`, `c`, `d`, `e`, `f`, `g`, `h`");
}

TEST_F(TextsTest, BrokenJsonNamesTheByteAndTheLineOfJsonLines) {
  const auto broken = error("a.json", "[\"a\",\n\"b\"");
  EXPECT_EQ(broken.what(), subject("a.json"));
  EXPECT_EQ(broken.why(), "it is not valid JSON at byte 10");
  EXPECT_EQ(broken.fix(), "correct it there; plain text belongs in a file whose name ends in .txt");
  EXPECT_EQ(error("a.json", "plain text").why(), "it is not valid JSON at byte 1");
  EXPECT_EQ(error("a.jsonl", "{\"text\": \"a\n{\"text\": \"b\"}\n").why(),
            "it is not valid JSON at byte 12");
  const auto line = error("a.jsonl", "{\"text\": \"a\"}\n{\"text\": \"b\n");
  EXPECT_EQ(line.what(), subject("a.jsonl") + ", line 2");
  EXPECT_EQ(line.why(), "it is not valid JSON at byte 12");
  EXPECT_EQ(error("a.json", std::string("[\"a\"]\0[]", 8)).why(), "it is not valid JSON at byte 6");
  EXPECT_EQ(error("a.json", R"({"text": "a", "text": "b"})").why(), "the key `text` appears twice");
  EXPECT_EQ(error("a.json", R"(["\ud800"])").why().substr(0, 15), "it is not valid");
}

TEST_F(TextsTest, BytesThatAreNotUtf8AreNamed) {
  for (const std::string name : {"a.txt", "a.json"}) {
    const auto bad = error(name, "[\"abc\xFF\"]");
    EXPECT_EQ(bad.what(), subject(name));
    EXPECT_EQ(bad.why(), "it is not valid UTF-8 at byte 5");
    EXPECT_EQ(bad.fix(), "convert it to UTF-8, for instance with iconv");
  }
}

TEST_F(TextsTest, AFileAboveTheBoundIsRefusedUnread) {
  const auto path = scratch_.write("a.txt", "");
  std::filesystem::resize_file(path, kMaxTextBytes + 1);
  const auto error = error_of<base::ValidationError>([&] { read_texts(Strings{path}); });
  EXPECT_EQ(error.why(), "it has 4.00 GiB, more than the 4.00 GiB such a file may have");
}

}  // namespace
}  // namespace lq::calibration

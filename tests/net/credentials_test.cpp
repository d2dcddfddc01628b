#include "common/net/credentials.h"

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <memory>
#include <new>
#include <string_view>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "common/base/errors.h"
#include "tests/support/scratch.h"

namespace {

// Text that must not be in memory that the program gives back. Its operators look, because looking
// later would be looking at memory of somebody else.
std::array<char, 16> sought = {};
std::atomic<std::size_t> sought_bytes = 0;
std::atomic<int> n_found = 0;

void give_back(void* block) {
  const std::size_t n_bytes = sought_bytes;
  if (block != nullptr && n_bytes > 0 &&
      ::memmem(block, ::malloc_usable_size(block), sought.data(), n_bytes) != nullptr) {
    ++n_found;
  }
  std::free(block);
}

}  // namespace

void* operator new(std::size_t bytes) {
  void* block = std::malloc(bytes == 0 ? 1 : bytes);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
void operator delete(void* block) noexcept { give_back(block); }
void operator delete(void* block, std::size_t) noexcept { give_back(block); }

namespace lq::net {
namespace {

using base::Environment;
using base::ModelNotFoundError;
using base::UsageError;
using lq::testing::error_of;
using lq::testing::ScratchDirectory;

const std::string kLong = "hf_abcdefghijklmnopqrstuvwxyz0123456789";
const std::string kShort = "hf_short";
constexpr double kNow = 1'800'000'000;  // 2027-01-15

/// The bytes that an object leaves behind.
class Remains {
 public:
  explicit Remains(const Token& token) {
    const auto* bytes = reinterpret_cast<const volatile char*>(&token);
    for (std::size_t i = 0; i < sizeof(Token); ++i) bytes_ += bytes[i];
  }
  bool contain(std::string_view secret) const { return bytes_.find(secret) != std::string::npos; }

 private:
  std::string bytes_;
};

TEST(Redacted, TakesOutASecretThatATextRepeats) {
  EXPECT_EQ(redacted("a hf_x b hf_xhf_x", "hf_x"), "a <redacted> b <redacted><redacted>");
  EXPECT_EQ(redacted("eve", "e"), "<redacted>v<redacted>");
  EXPECT_EQ(redacted("text", ""), "text");
}

TEST(Token, HoldsASecretAndSaysWhereItComesFrom) {
  const Token token(kLong, "the variable HF_TOKEN");
  EXPECT_FALSE(token.empty());
  EXPECT_EQ(token.secret(), kLong);
  EXPECT_EQ(token.origin(), "the variable HF_TOKEN");
  EXPECT_EQ(token.expiry_note(), "");
  EXPECT_TRUE(Token().empty());
}

TEST(Token, MovesWithAllItKnows) {
  Token first(kLong, "x");
  first.set_expiry_note("note");
  Token second(std::move(first));
  EXPECT_EQ(second.secret(), kLong);
  EXPECT_EQ(second.expiry_note(), "note");
  Token third;
  third = std::move(second);
  EXPECT_EQ(third.secret(), kLong);
  EXPECT_EQ(third.origin(), "x");
  Token& same = third;
  third = std::move(same);
  EXPECT_EQ(third.secret(), kLong);
}

TEST(Token, AShortOneLeavesNothingInWhatItWasMovedFrom) {
  Token first(kShort, "");
  ASSERT_TRUE(Remains(first).contain(kShort)) << "the string does not hold its text itself";
  Token second(std::move(first));
  EXPECT_FALSE(Remains(first).contain("short"));  // NOLINT: what is left of it is the question
  Token third;
  third = std::move(second);
  EXPECT_FALSE(Remains(second).contain("short"));  // NOLINT
  EXPECT_EQ(third.secret(), kShort);
}

TEST(Token, AShortOneIsOverwrittenAtItsEnd) {
  alignas(Token) std::array<std::byte, sizeof(Token)> room;
  auto* token = std::construct_at(reinterpret_cast<Token*>(room.data()), kShort, "");
  ASSERT_TRUE(Remains(*token).contain(kShort));
  std::destroy_at(token);
  EXPECT_FALSE(Remains(*token).contain("short"));
}

// The long one's memory takes the place of the short one's, whose end stays in the object otherwise.
TEST(Token, AShortOneIsOverwrittenByALongOne) {
  Token token("hf_0123456789ab", "");
  ASSERT_TRUE(Remains(token).contain("6789ab"));
  token = Token(kLong, "");
  EXPECT_FALSE(Remains(token).contain("6789ab"));
}

/// How often `code` gives back memory with the beginning of `secret` in it: a string that grew leaves
/// no more than that.
template <class F>
int copies_left_by(const std::string& secret, F&& code) {
  n_found = 0;
  sought_bytes = secret.copy(sought.data(), sought.size());
  code();
  sought_bytes = 0;
  return n_found;
}

TEST(CopiesLeft, AreFoundWhereThereAreSome) {
  EXPECT_EQ(copies_left_by(kLong, [] { const auto copy = std::make_unique<std::string>(kLong); }),
            1);
}

TEST(Token, ALongOneIsOverwrittenBeforeItsMemoryIsGivenBack) {
  auto token = std::make_unique<Token>(kLong, "");
  EXPECT_EQ(copies_left_by(kLong, [&] { token.reset(); }), 0);
}

TEST(Token, ALongOneIsOverwrittenByAnother) {
  auto token = std::make_unique<Token>(kLong, "");
  auto other = std::make_unique<Token>("hf_" + std::string(60, 'x'), "");
  EXPECT_EQ(copies_left_by(kLong,
                           [&] {
                             *token = std::move(*other);
                             other.reset();
                             token.reset();
                           }),
            0);
}

TokenWishes in_file(const std::string& file) { return {file, "", false}; }
TokenWishes named(const std::string& name) { return {"", name, false}; }
const TokenWishes kNone = {"", "", true};

class FindToken : public ::testing::Test {
 protected:
  FindToken() { settings_.token_file = scratch_.path() / "token"; }

  Token find(const Environment& environment = {}, const TokenWishes& wishes = {}) const {
    return find_token(wishes, settings_, environment, kNow);
  }
  std::string stored(const std::string& text) const {
    return scratch_.write("stored_tokens", text).string();
  }

  ScratchDirectory scratch_;
  HubSettings settings_;
};

TEST_F(FindToken, WithoutAnyThereIsNone) {
  EXPECT_TRUE(find().empty());
  EXPECT_EQ(find().origin(), "");
}

TEST_F(FindToken, TheFirstSourceWins) {
  const std::string file = scratch_.write("token", "from_file\n").string();
  EXPECT_EQ(find().secret(), "from_file");
  EXPECT_EQ(find().origin(), "the file " + file);
  const Environment old = {{"HUGGING_FACE_HUB_TOKEN", "old"}};
  EXPECT_EQ(find(old).secret(), "old");
  EXPECT_EQ(find(old).origin(), "the variable HUGGING_FACE_HUB_TOKEN");
  const Environment both = {{"HUGGING_FACE_HUB_TOKEN", "old"}, {"HF_TOKEN", "new"}};
  EXPECT_EQ(find(both).secret(), "new");
  EXPECT_EQ(find(both).origin(), "the variable HF_TOKEN");
  const std::string other = scratch_.write("other", "wanted").string();
  EXPECT_EQ(find(both, in_file(other)).secret(), "wanted");
}

TEST_F(FindToken, AnEmptyVariableIsNone) {
  scratch_.write("token", "from_file");
  EXPECT_EQ(find({{"HF_TOKEN", ""}}).secret(), "from_file");
  EXPECT_EQ(find({{"HF_TOKEN", " \n"}}).secret(), "from_file");
}

TEST_F(FindToken, LineEndsAndBlanksAroundAreRemoved) {
  EXPECT_EQ(find({{"HF_TOKEN", " \r\n\tabc\r\n "}}).secret(), "abc");
  EXPECT_EQ(find({{"HF_TOKEN", "ab\r\nc"}}).secret(), "abc");
  EXPECT_EQ(find({{"HF_TOKEN", kLong + "\n"}}).secret(), kLong);
}

TEST_F(FindToken, OtherControlCharactersAreRefusedWithoutShowingTheToken) {
  using namespace std::string_literals;
  for (const std::string& secret :
       {"se\x1B"s + "cret"s, "se\0cret"s, "se\tcret"s, "se\x7F"s + "cret"s, "\xEF\xBB\xBFsecret"s,
        "se\xC2\x85" + "cret"s}) {
    const auto error = error_of<UsageError>([&] { find({{"HF_TOKEN", secret}}); });
    EXPECT_STREQ(error.what(), "the token from the variable HF_TOKEN cannot be used");
    EXPECT_EQ(error.why(), "it has a character that is no letter, digit or sign of ASCII");
    EXPECT_EQ(error.fix(), "copy it again from the Hub's settings, or run: hf auth login");
  }
}

TEST_F(FindToken, LeavesNoCopyBehind) {
  const std::string broken = kLong + "\x1B";
  const Environment environment = {{"HF_TOKEN", kLong + "\r\n"}};
  const Environment refused = {{"HF_TOKEN", broken}};
  const std::string file = scratch_.write("other", kLong + "\n").string();
  stored("[work]\nhf_token = " + kLong + "\n");
  EXPECT_EQ(copies_left_by(kLong, [&] { find(environment); }), 0);
  EXPECT_EQ(copies_left_by(kLong, [&] { find({}, in_file(file)); }), 0);
  EXPECT_EQ(copies_left_by(kLong, [&] { find({}, named("work")); }), 0);
  EXPECT_EQ(copies_left_by(kLong, [&] { EXPECT_THROW(find(refused), UsageError); }), 0);
}

TEST_F(FindToken, AnonymousOnRequest) {
  const Environment environment = {{"HF_TOKEN", "x"}, {"HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"}};
  EXPECT_TRUE(find(environment).empty());
  EXPECT_TRUE(find({{"HF_TOKEN", "x"}}, kNone).empty());
  EXPECT_EQ(find({{"HF_TOKEN", "x"}, {"HF_HUB_DISABLE_IMPLICIT_TOKEN", "0"}}).secret(), "x");
  // What is asked for explicitly is not implicit.
  const std::string file = scratch_.write("other", "wanted").string();
  EXPECT_EQ(find(environment, in_file(file)).secret(), "wanted");
  stored("[work]\nhf_token = named\n");
  EXPECT_EQ(find(environment, named("work")).secret(), "named");
}

TEST_F(FindToken, WishesThatContradictAreRefused) {
  const auto error = error_of<UsageError>([&] { find({}, {"x", "y", true}); });
  EXPECT_STREQ(error.what(), "--token-file and --token-name contradict each other");
  EXPECT_EQ(error.why(), "each of them says which token to send");
  EXPECT_EQ(error.fix(), "give one of them");
  EXPECT_STREQ(error_of<UsageError>([&] {
                 find({}, {"", "y", true});
               }).what(),
               "--token-name and --no-token contradict each other");
  EXPECT_STREQ(error_of<UsageError>([&] {
                 find({}, {"x", "", true});
               }).what(),
               "--token-file and --no-token contradict each other");
}

TEST_F(FindToken, ATokenFileThatIsNotThereIsNotFound) {
  const std::string path = scratch_.path() / "no\nfile";
  const auto error = error_of<ModelNotFoundError>([&] { find({}, in_file(path)); });
  EXPECT_EQ(error.what(),
            "cannot read the token from the file " + (scratch_.path() / "no\\x0Afile").string());
  EXPECT_EQ(error.why(), "No such file or directory");
  EXPECT_EQ(error.fix(), "name a file that holds a token, or - for standard input");
  EXPECT_EQ(error_of<ModelNotFoundError>([&] { find({}, in_file(scratch_.path())); }).why(),
            "Is a directory");
}

TEST_F(FindToken, ATokenFileThatIsEmptyIsNotPassedOver) {
  const std::string file = scratch_.write("other", "\n").string();
  const auto error = error_of<ModelNotFoundError>([&] {
    find({{"HF_TOKEN", "x"}}, in_file(file));
  });
  EXPECT_EQ(error.what(), "cannot read the token from the file " + file);
  EXPECT_EQ(error.why(), "there is nothing in it");
  EXPECT_EQ(error.fix(), "put a token there, or leave out --token-file");
}

TEST_F(FindToken, ATokenFileIsShort) {
  EXPECT_EQ(find({}, in_file(scratch_.write("a", std::string(16384, 'x')))).secret().size(),
            16384U);
  const std::string file = scratch_.write("b", std::string(16385, 'x')).string();
  EXPECT_EQ(error_of<ModelNotFoundError>([&] { find({}, in_file(file)); }).why(), "File too large");
}

TEST_F(FindToken, ATokenFileMayBeAPipe) {
  const std::string pipe = scratch_.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] {
    const int fd = ::open(pipe.c_str(), O_WRONLY);
    EXPECT_EQ(::write(fd, "pi", 2), 2);
    EXPECT_EQ(::write(fd, "ped\n", 4), 4);
    ::close(fd);
  });
  EXPECT_EQ(find({}, in_file(pipe)).secret(), "piped");
  writer.join();
}

/// Gives the test a standard input of its own.
class StandardInput {
 public:
  explicit StandardInput(const std::filesystem::path& file) : saved_(::dup(STDIN_FILENO)) {
    const int fd = ::open(file.c_str(), O_RDONLY);
    ::dup2(fd, STDIN_FILENO);
    ::close(fd);
  }
  ~StandardInput() {
    ::dup2(saved_, STDIN_FILENO);
    ::close(saved_);
  }
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;

 private:
  int saved_;
};

TEST_F(FindToken, ADashIsStandardInput) {
  {
    const StandardInput input(scratch_.write("in", "typed\n"));
    const Token token = find({}, in_file("-"));
    EXPECT_EQ(token.secret(), "typed");
    EXPECT_EQ(token.origin(), "standard input");
  }
  const StandardInput input(scratch_.write("in", ""));
  EXPECT_STREQ(error_of<ModelNotFoundError>([&] { find({}, in_file("-")); }).what(),
               "cannot read the token from standard input");
}

TEST_F(FindToken, TheUsualTokenFileMayBeUnreadable) {
  std::filesystem::create_directory(settings_.token_file);
  EXPECT_TRUE(find().empty());
}

TEST_F(FindToken, ANameIsASectionOfTheStoredTokens) {
  const std::string path = stored(
      "# a comment\n; another\nhf_token = no_section\n\n[home]\nhf_token = first\n"
      "[my work]\r\nHF_Token: second=x \r\nother = y\r\n[my work]\nhf_token = third\n");
  EXPECT_EQ(find({}, named("home")).secret(), "first");
  const Token token = find({}, named("my work"));
  EXPECT_EQ(token.secret(), "second=x");
  EXPECT_EQ(token.origin(), "the section 'my work' of " + path);
}

TEST_F(FindToken, ANameThatIsNotThereIsNotFound) {
  const std::string path = scratch_.path() / "stored_tokens";
  const auto no_file = error_of<ModelNotFoundError>([&] { find({}, named("x\n")); });
  EXPECT_STREQ(no_file.what(), "there is no token named 'x\\x0A'");
  EXPECT_EQ(no_file.why(), path + ": No such file or directory");
  EXPECT_EQ(no_file.fix(), "hf auth list shows the names; hf auth login adds one");
  stored("[work]\nhf_token = secret\n[empty]\n");
  const auto near = error_of<ModelNotFoundError>([&] { find({}, named("wrok")); });
  EXPECT_EQ(near.why(), path + " has no such section");
  EXPECT_EQ(near.fix(), "did you mean --token-name 'work'?");
  const auto empty = error_of<ModelNotFoundError>([&] { find({}, named("empty")); });
  EXPECT_EQ(empty.why(), "the section of " + path + " has no hf_token");
  EXPECT_EQ(empty.fix(), "hf auth list shows the names; hf auth login adds one");
}

TEST_F(FindToken, KnowsThatAStoredTokenHasExpired) {
  stored(
      "[a]\nhf_token = other\nexpires_at = 1\n"
      "[b]\nhf_token = mine\nrefresh_token = r\nexpires_at = 1769817600\n");
  EXPECT_EQ(find({{"HF_TOKEN", "mine"}}).expiry_note(), "it expired on 2026-01-31");
  EXPECT_EQ(find({}, named("b")).expiry_note(), "it expired on 2026-01-31");
  scratch_.write("token", "mine\n");
  EXPECT_EQ(find().expiry_note(), "it expired on 2026-01-31");
  EXPECT_EQ(find({{"HF_TOKEN", "unknown"}}).expiry_note(), "");
}

TEST_F(FindToken, SaysNothingOfATokenThatIsValidOrOfNoKnownAge) {
  for (const char* expiry : {"1800000001", "99999999999999999999", "-5", "0", "soon", "", "1.5",
                             "9223372036854775807", "-9223372036854775808"}) {
    stored(std::string("[a]\nhf_token = mine\nexpires_at = ") + expiry + "\n");
    EXPECT_EQ(find({{"HF_TOKEN", "mine"}}).expiry_note(), "") << expiry;
  }
  stored("[a]\nhf_token = mine\nexpires_at = 1800000000");
  EXPECT_EQ(find({{"HF_TOKEN", "mine"}}).expiry_note(), "it expired on 2027-01-15");
}

}  // namespace
}  // namespace lq::net

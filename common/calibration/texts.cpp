#include "common/calibration/texts.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/calibration/default_texts.h"
#include "common/calibration/json_texts.h"
#include "common/io/digest.h"
#include "common/io/input_file.h"
#include "common/io/stream.h"
#include "common/text/utf8.h"

namespace lq::calibration {
namespace {

constexpr const char* kStandardInput = "-";

bool is_json(const std::string& source, std::string_view content) {
  const std::string extension = base::to_lower(std::filesystem::path(source).extension().string());
  if (extension == ".txt") return false;
  constexpr std::array<std::string_view, 3> kJson = {".json", ".jsonl", ".ndjson"};
  return std::ranges::find(kJson, extension) != kJson.end() || looks_like_json(content);
}

std::string content_of(const std::string& source, const std::string& subject,
                       std::vector<stage::InputFile>& files) {
  if (source == kStandardInput) {
    return io::read_stream(STDIN_FILENO, kMaxTextBytes, subject,
                           "check what is connected to it; a calibration needs little text");
  }
  const io::InputFile file(source);
  files.push_back({file.path(), file.size(), file.mtime_ns(), ""});
  return io::read_text(file, kMaxTextBytes);
}

void append_texts(const std::string& source, const std::string& field, Texts& texts) {
  const std::string subject =
      fmt::format("cannot read calibration texts from {}",
                  source == kStandardInput ? "standard input" : base::shown(source));
  const std::string other_source =
      "give a source with text, or leave out --data for the texts of the program";
  std::string content = content_of(source, subject, texts.files);
  if (content.empty()) throw base::ValidationError(subject, "it is empty", other_source);
  if (const auto at = text::first_invalid_utf8(content)) {
    throw base::ValidationError(subject, fmt::format("it is not valid UTF-8 at byte {}", *at),
                                "convert it to UTF-8, for instance with iconv");
  }
  const auto n_before = static_cast<std::ptrdiff_t>(texts.texts.size());
  if (is_json(source, content)) {
    append_json_texts(content, field, subject, texts.texts);
  } else {
    texts.texts.push_back(std::move(content));
  }
  const auto added = std::ranges::subrange(texts.texts.begin() + n_before, texts.texts.end());
  if (std::ranges::all_of(added, [](const auto& one) { return base::trimmed(one).empty(); })) {
    throw base::ValidationError(
        subject,
        added.empty() ? "it holds no texts" : "all its texts are empty or white space only",
        other_source);
  }
}

std::string content_id_of(const std::vector<std::string>& texts) {
  io::Digest digest(io::Digest::Algorithm::kSha256);
  for (const std::string& one : texts) {
    const std::uint64_t n_bytes = one.size();
    digest.update(std::as_bytes(std::span(&n_bytes, 1)));
    digest.update(one);
  }
  return digest.hex();
}

}  // namespace

Texts read_texts(std::span<const std::string> sources, const std::string& field) {
  Texts texts;
  for (const std::string& source : sources) append_texts(source, field, texts);
  texts.content_id = content_id_of(texts.texts);
  return texts;
}

Texts built_in_texts() {
  Texts texts;
  for (const DefaultText& one : default_texts()) texts.texts.emplace_back(one.text);
  texts.content_id = content_id_of(texts.texts);
  return texts;
}

}  // namespace lq::calibration

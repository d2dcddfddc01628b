#include "tools/lq-inspect/tokenize.h"

#include <filesystem>
#include <fmt/format.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/input_file.h"
#include "common/io/stream.h"
#include "common/text/tokenizer.h"

namespace lq::inspect {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{4} << 30;

std::string read_text(const std::string& source) {
  if (source != "-") return io::read_text_file(source, kMostBytes);
  return io::read_stream(STDIN_FILENO, kMostBytes, "cannot read the text from standard input",
                         "check what is connected to it");
}

/// The directory whose tokenizer files are meant. Throws for what cannot have any.
std::filesystem::path tokenizer_directory(const std::string& model) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(model, ignored);
  if (std::filesystem::is_directory(status)) return model;
  if (!std::filesystem::exists(status)) {
    throw base::ModelNotFoundError(
        fmt::format("cannot open the tokenizer of {}", base::escape_controls(model)),
        "there is no such directory", "check the path, or get the model with lq-fetch");
  }
  throw base::UnsupportedError(
      fmt::format("cannot open the tokenizer of {}", base::escape_controls(model)),
      "it is a file, and tokenizer.json is read from a directory",
      "name the directory of the original model");
}

}  // namespace

cli::ToolResult tokenize(const std::string& model, const std::string& source, bool add_special) {
  const text::Tokenizer tokenizer = text::open_tokenizer(tokenizer_directory(model));
  const std::string text = read_text(source);
  const text::Encoding encoding = tokenizer.encode(text, add_special);
  cli::ToolResult result;
  auto ids = nlohmann::ordered_json::array(), pieces = nlohmann::ordered_json::array();
  for (const std::uint32_t id : encoding.ids) {
    const std::string& piece = tokenizer.piece(id);
    result.lines.push_back(fmt::format("{}\t{}", id, base::escape_controls(piece)));
    ids.push_back(id);
    pieces.push_back(piece);
  }
  result.json = {{"ids", std::move(ids)}, {"pieces", std::move(pieces)}};
  return result;
}

}  // namespace lq::inspect

#include "common/calibrate/windows.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <numeric>
#include <optional>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/calibration/sites.h"
#include "common/calibration/texts.h"
#include "common/calibration/token_file.h"
#include "common/io/input_file.h"

namespace lq::calibrate {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kUsualWindows = 64, kMostOfTexts = 128;

/// "wiki.txt", or of several "wiki.txt and 2 more".
std::string name_of(const std::vector<std::string>& sources) {
  if (sources.empty()) return "built-in texts";
  const std::string first =
      sources[0] == "-" ? "standard input" : fs::path(sources[0]).filename().string();
  return sources.size() == 1 ? first : fmt::format("{} and {} more", first, sources.size() - 1);
}

calibration::WindowOptions window_options(const Options& options, std::size_t n_vocab,
                                          int n_threads) {
  const auto wanted = static_cast<std::size_t>(options.samples);
  const std::size_t most = options.data.empty() ? kUsualWindows : kMostOfTexts;
  return {.seq_len = static_cast<std::size_t>(options.seq_len),
          .min_windows = wanted > 0 ? wanted : kUsualWindows,
          .max_windows = wanted > 0 ? wanted : most,
          .seed = static_cast<std::uint64_t>(options.seed),
          .n_vocab = n_vocab,
          .n_threads = n_threads};
}

/// What cutting texts into tokens takes: pieces of those that are cut at one time, and all ids.
void require_memory(const std::vector<std::string>& texts, const stage::StageOptions& stage) {
  constexpr std::uint64_t kOfPieces = 28, kOfAll = 5;  // bytes for each byte of text, measured
  std::vector<std::uint64_t> sizes;
  for (const std::string& text : texts) sizes.push_back(text.size());
  std::ranges::sort(sizes, std::greater());
  const auto n_at_once = std::min(static_cast<std::size_t>(stage.n_threads), sizes.size());
  const std::uint64_t all = std::reduce(sizes.begin(), sizes.end());
  const std::uint64_t at_once =
      std::reduce(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(n_at_once));
  const std::uint64_t needed = kOfPieces * at_once + kOfAll * all;
  if (stage.memory_limit == 0 || needed <= stage.memory_limit) return;
  throw base::OutOfMemoryError(
      "cannot start: memory is too small",
      fmt::format("{} are needed to cut {} of text into tokens and {} are available",
                  base::format_bytes(needed), base::format_bytes(all),
                  base::format_bytes(stage.memory_limit)),
      "give fewer texts, or shorter ones (a .jsonl file has one on each line): a calibration needs "
      "little text");
}

WindowsRead cut_texts(const model::Checkpoint& checkpoint, const Options& options,
                      std::size_t n_vocab, const stage::StageOptions& stage,
                      stage::StageObserver& observer) {
  const text::Tokenizer tokenizer = calibration::open_tokenizer(checkpoint.dir);
  const calibration::Texts texts = options.data.empty()
                                       ? calibration::built_in_texts()
                                       : calibration::read_texts(options.data, options.field);
  require_memory(texts.texts, stage);
  calibration::CutTexts cut = calibration::cut_windows(
      tokenizer, texts.texts, window_options(options, n_vocab, stage.n_threads));
  for (const calibration::Warning& warning : cut.warnings) {
    observer.warning(warning.what, warning.why);
  }
  const std::string name = name_of(options.data);
  const std::size_t n = cut.windows.n_windows();
  observer.message(fmt::format(
      "{}: {} window{} with {} tokens in all, from texts of {}{}", base::escape_controls(name), n,
      n == 1 ? "" : "s", cut.windows.ids.size(), cut.n_text_tokens,
      options.data.empty() ? "; other texts: lq-calibrate --data FILE" : ""));
  stage::Input input{"data", "", texts.files, "", nullptr};
  for (stage::InputFile& file : input.files) file.path = fs::absolute(file.path);
  if (!input.files.empty()) input.path = input.files.front().path;
  return {std::move(cut.windows), name, 0, std::move(input)};
}

WindowsRead take_tokens(const Options& options, std::size_t n_vocab) {
  const fs::path path = fs::absolute(options.tokens);
  const io::InputFile file(path);
  return {calibration::read_tokens(path, n_vocab),
          path.filename().string(),
          0,
          {"data", path, {{path, file.size(), file.mtime_ns(), ""}}, "", nullptr}};
}

/// Gram matrices of fewer tokens than channels are singular: what is not seen is left to damping.
void warn_of_too_little(const model::Checkpoint& checkpoint, const Options& options,
                        std::size_t n_tokens, stage::StageObserver& observer) {
  if (options.gram_kind() == calibration::GramKind::kNone) return;
  std::size_t widest = 0;
  std::string_view name;
  for (const calibration::SiteShape& site : calibration::site_shapes(checkpoint.config, false)) {
    const std::size_t width = options.gram_kind() == calibration::GramKind::kFull
                                  ? site.width
                                  : std::min(site.width, calibration::kGramBlock);
    if (width <= widest) continue;
    widest = width;
    name = site.row->name;
  }
  if (n_tokens >= widest) return;
  observer.warning("there is too little text for this model's widths",
                   fmt::format("{} tokens for the {} channels of {}: solvers need more tokens than "
                               "channels, several times as many if possible",
                               n_tokens, widest, name));
}

/// Dynamic scaling is made for longer texts than the context says.
void warn_of_too_long(const model::ModelConfig& config, std::int64_t longest,
                      stage::StageObserver& observer) {
  if (config.context <= 0 || longest <= config.context) return;
  if (config.rope.scaling == model::RopeScalingKind::kDynamic) return;
  observer.warning("windows are longer than the model's context",
                   fmt::format("the longest has {} tokens and the model was made for {}: what it "
                               "does beyond that may tell little of its use",
                               longest, config.context));
}

}  // namespace

WindowsRead read_windows(const model::Checkpoint& checkpoint, const Options& options,
                         const stage::StageOptions& stage, stage::StageObserver& observer) {
  const auto n_vocab = static_cast<std::size_t>(checkpoint.config.vocab);
  WindowsRead read = options.tokens.empty()
                         ? cut_texts(checkpoint, options, n_vocab, stage, observer)
                         : take_tokens(options, n_vocab);
  read.input.content_id = read.windows.content_id();
  for (std::size_t i = 0; i < read.windows.n_windows(); ++i) {
    read.seq_len = std::max(read.seq_len, static_cast<std::int64_t>(read.windows.window(i).size()));
  }
  warn_of_too_little(checkpoint, options, read.windows.ids.size(), observer);
  warn_of_too_long(checkpoint.config, read.seq_len, observer);
  return read;
}

}  // namespace lq::calibrate

#include "common/soundness/tokenizer_checks.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <unordered_set>
#include <variant>

#include "common/base/text.h"
#include "common/subject/gguf_tokenizer.h"
#include "common/text/tokenizer.h"
#include "common/text/tokenizer_files.h"

namespace lq::soundness {
namespace {

constexpr const char* kCheck = "tokenizer";
constexpr std::string_view kPrefix = "tokenizer.ggml.";
// Of tokenizer.ggml.model, as llama.cpp knows them.
constexpr std::array<std::string_view, 7> kKinds = {"llama", "gpt2",   "bert", "t5",
                                                    "rwkv",  "plamo2", "none"};

/// The ids that a list or a number of config.json names.
std::vector<std::int64_t> ids_of(const nlohmann::json& value) {
  std::vector<std::int64_t> ids;
  for (const nlohmann::json& one : value.is_array() ? value : nlohmann::json::array({value})) {
    if (one.is_number_integer()) ids.push_back(one.get<std::int64_t>());
  }
  return ids;
}

std::optional<std::int64_t> whole(const gguf::Value& value) {
  return std::visit(
      [](const auto& one) -> std::optional<std::int64_t> {
        using Type = std::decay_t<decltype(one)>;
        if constexpr (std::is_integral_v<Type> && !std::is_same_v<Type, bool>) {
          return static_cast<std::int64_t>(one);
        } else {
          return std::nullopt;
        }
      },
      value);
}

void check_ids(const gguf::Metadata& metadata, std::size_t n_tokens, Report& report) {
  constexpr std::string_view kSuffix = "_token_id";
  for (const auto& [key, value] : metadata.entries()) {
    if (!key.starts_with(kPrefix) || !key.ends_with(kSuffix)) continue;
    const std::optional<std::int64_t> id = whole(value);
    if (id && *id >= 0 && static_cast<std::uint64_t>(*id) < n_tokens) continue;
    // What a 32-bit -1 reads as: writers mean that there is none.
    if (id == std::int64_t{0xFFFFFFFF}) continue;
    report.fault(kCheck, base::escape_controls(key), "a special token is none of the vocabulary",
                 id ? fmt::format("its id is {}, of {} tokens", *id, n_tokens)
                    : std::string("its id is no whole number"),
                 kLlamaCpp);
  }
}

void check_merges(const std::vector<std::string>& tokens, const std::vector<std::string>* merges,
                  Report& report) {
  const std::unordered_set<std::string_view> known(tokens.begin(), tokens.end());
  if (known.size() != tokens.size()) {
    report.fault(kCheck, "", "tokens appear twice",
                 fmt::format("{} of {} are different", known.size(), tokens.size()), kLlamaCpp);
  }
  if (merges == nullptr) return;
  std::size_t n_unknown = 0;
  const std::string* first = nullptr;
  for (const std::string& merge : *merges) {
    const std::size_t blank = merge.find(' ', 1);
    const std::string_view text = merge;
    const bool is_known =
        blank != std::string::npos && known.contains(text.substr(0, blank)) &&
        known.contains(text.substr(blank + 1)) &&
        known.contains(std::string(text.substr(0, blank)) + std::string(text.substr(blank + 1)));
    if (is_known) continue;
    ++n_unknown;
    if (first == nullptr) first = &merge;
  }
  if (n_unknown == 0) return;
  report.fault(kCheck, "", "merges refer to tokens that are not in the vocabulary",
               fmt::format("{} of {}; the first is `{}`", n_unknown, merges->size(),
                           base::escape_controls(*first)));
}

}  // namespace

void check_tokenizer_files(const std::filesystem::path& dir, const model::ModelConfig& config,
                           Report& report) {
  std::error_code ignored;
  if (!std::filesystem::exists(dir / "tokenizer.json", ignored) &&
      !std::filesystem::exists(dir / "tokenizer.model", ignored)) {
    report.fault(kCheck, "", "there is no tokenizer",
                 "neither tokenizer.json nor tokenizer.model is there", kDirectoryRuntimes);
    return;
  }
  report.attempt(kCheck, kDirectoryRuntimes, [&] { text::read_tokenizer_files(dir); });
  std::size_t n_tokens = 0;
  const bool is_read = report.attempt(kCheck, kDirectoryRuntimes,
                                      [&] { n_tokens = text::open_tokenizer(dir).vocab_size(); });
  if (config.vocab == 0) return;
  const auto n_rows = static_cast<std::size_t>(config.vocab);
  if (is_read && n_tokens > n_rows) {
    report.fault(kCheck, "", "the tokenizer has more tokens than the model",
                 fmt::format("{}, and vocab_size is {}: it is of another model", n_tokens, n_rows));
  } else if (is_read && 2 * n_tokens < n_rows) {
    report.fault(kCheck, "", "the tokenizer has far fewer tokens than the model",
                 fmt::format("{}, and vocab_size is {}: it is of another model", n_tokens, n_rows));
  }
  for (const char* const key : {"bos_token_id", "eos_token_id", "pad_token_id"}) {
    const auto found = config.raw.find(key);
    if (found == config.raw.end()) continue;
    for (const std::int64_t id : ids_of(*found)) {
      if (id < config.vocab && (id >= 0 || id == -1)) continue;
      report.fault(kCheck, key, "a special token is none of the vocabulary",
                   fmt::format("its id is {}, and vocab_size is {}", id, n_rows));
    }
  }
}

void check_gguf_tokenizer(const gguf::Metadata& metadata, const std::filesystem::path& file,
                          std::uint64_t n_rows, Report& report) {
  const auto key = [](std::string_view name) { return std::string(kPrefix) + std::string(name); };
  const auto* const model = metadata.get<std::string>(key("model"));
  if (model == nullptr) {
    report.fault(kCheck, "", "there is no tokenizer",
                 fmt::format("the key {} is missing, or no text", key("model")), kLlamaCpp);
    return;
  }
  if (std::ranges::find(kKinds, *model) == kKinds.end()) {
    report.fault(kCheck, key("model"), "the tokenizer is of an unknown kind",
                 fmt::format("'{}' is none that runtimes know", base::escape_controls(*model)),
                 kLlamaCpp);
    return;
  }
  report.attempt(kCheck, kLlamaCpp, [&] { subject::gguf_tokenizer(metadata, file); });
  const auto* const tokens = metadata.get<std::vector<std::string>>(key("tokens"));
  if (tokens == nullptr) return;
  check_ids(metadata, tokens->size(), report);
  check_merges(*tokens, metadata.get<std::vector<std::string>>(key("merges")), report);
  if (n_rows == 0 || tokens->size() == n_rows) return;
  report.fault(kCheck, "", "the number of tokens is not that of the model",
               fmt::format("{}, and the embeddings have {} rows: the tokenizer is of another model",
                           tokens->size(), n_rows),
               kLlamaCpp);
}

}  // namespace lq::soundness

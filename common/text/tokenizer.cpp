#include "common/text/tokenizer.h"

#include <algorithm>
#include <fmt/ranges.h>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/json_file.h"
#include "common/text/added_vocabulary.h"
#include "common/text/decoder.h"
#include "common/text/post_processor.h"
#include "common/text/pretokenizer.h"
#include "common/text/sentencepiece_tokenizer.h"
#include "common/text/tokenizer_files.h"
#include "common/text/utf8.h"
#include "common/text/vocabulary.h"

namespace lq::text {
namespace {

using nlohmann::json;

/// Caches that no call is using, for the next ones.
class CachePool {
 public:
  std::unique_ptr<WordCache> take() {
    const std::scoped_lock lock(mutex_);
    if (free_.empty()) return std::make_unique<WordCache>();
    std::unique_ptr<WordCache> cache = std::move(free_.back());
    free_.pop_back();
    return cache;
  }
  void give_back(std::unique_ptr<WordCache> cache) {
    const std::scoped_lock lock(mutex_);
    free_.push_back(std::move(cache));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<WordCache>> free_;
};

const json& added_tokens_of(const json& tokenizer, const std::filesystem::path& file) {
  const json& list = member(tokenizer, "added_tokens");
  if (!list.is_null() && !list.is_array()) {
    TokenizerPart(list, file, "added tokens").reject("added_tokens is not a list");
  }
  return list;
}

/// What is not implemented is refused when a text is asked for: most tokenizers are opened for ids
/// alone.
Decoder make_decoder_or_refusal(const TokenizerPart& part) {
  try {
    return make_decoder(part);
  } catch (const base::UnsupportedError& error) {
    return [error](std::vector<std::string>&) { throw error; };
  }
}

}  // namespace

struct Tokenizer::Parts {
  Parts(const json& tokenizer, const std::filesystem::path& file)
      : normalizer(make_normalizer({member(tokenizer, "normalizer"), file, "normalizer"})),
        pretokenizer(
            make_pretokenizer({member(tokenizer, "pre_tokenizer"), file, "pre-tokenizer"})),
        model(make_subword_model({member(tokenizer, "model"), file, "model"})),
        added({added_tokens_of(tokenizer, file), file, "added tokens"}, model->vocabulary(),
              normalizer),
        surrounding(
            read_post_processor({member(tokenizer, "post_processor"), file, "post-processor"})),
        decoder(make_decoder_or_refusal({member(tokenizer, "decoder"), file, "decoder"})) {
    n_ids = model->vocabulary().n_ids();
    for (const AddedToken& token : added.tokens()) {
      n_ids = std::max<std::size_t>(n_ids, token.id + 1);
      added_texts.insert_or_assign(token.id, token.content);
      if (token.special) special_texts.insert(token.content);
    }
    for (const auto* ids : {&surrounding.before, &surrounding.behind}) {
      if (std::ranges::any_of(*ids, [&](std::uint32_t id) { return id >= n_ids; })) {
        TokenizerPart(tokenizer, file, "post-processor")
            .reject("its post-processor adds a token that is not in the vocabulary");
      }
    }
  }

  /// A stretch without plain added tokens; `at_start`: it begins the text.
  void append_stretch(std::string stretch, bool at_start, WordCache& cache,
                      std::vector<std::uint32_t>& ids) const {
    normalizer(stretch);
    for (const Segment& segment : added.split(stretch, true)) {
      if (segment.id) {
        ids.push_back(*segment.id);
        continue;
      }
      const std::size_t n_bytes = segment.range.end - segment.range.begin;
      PieceList list{.text = stretch.substr(segment.range.begin, n_bytes),
                     .pieces = {{0, n_bytes}},
                     .at_text_start = at_start && segment.range.begin == 0};
      pretokenizer(list);
      for (const ByteRange& piece : list.pieces) model->tokenize(list.view(piece), cache, ids);
    }
  }

  const std::string& text(std::uint32_t id) const {
    const auto found = added_texts.find(id);
    return found != added_texts.end() ? found->second : model->vocabulary().text(id);
  }

  /// Whether an id has a token; one of a vocabulary may have an empty text.
  bool has_token(std::uint32_t id) const {
    return !text(id).empty() || model->vocabulary().find("") == id;
  }

  Normalizer normalizer;
  Pretokenizer pretokenizer;
  std::unique_ptr<const SubwordModel> model;
  AddedVocabulary added;
  SurroundingIds surrounding;
  Decoder decoder;
  std::size_t n_ids = 0;
  std::unordered_map<std::uint32_t, std::string> added_texts;
  std::unordered_set<std::string> special_texts;
  mutable CachePool caches;
};

Tokenizer::Tokenizer(const json& tokenizer, const std::filesystem::path& file)
    : parts_(std::make_unique<const Parts>(tokenizer, file)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&& other) noexcept = default;

Encoding Tokenizer::encode(std::string_view text, bool add_special) const {
  if (const auto at = first_invalid_utf8(text)) {
    throw base::ValidationError("cannot cut the text into tokens",
                                fmt::format("it is not valid UTF-8 at byte {}", *at),
                                "convert it to UTF-8, for instance with iconv");
  }
  Encoding encoding;
  const SurroundingIds& around = parts_->surrounding;
  if (add_special) encoding.ids = around.before;
  std::unique_ptr<WordCache> cache = parts_->caches.take();
  for (const Segment& segment : parts_->added.split(text, false)) {
    if (segment.id) {
      encoding.ids.push_back(*segment.id);
      continue;
    }
    const std::size_t begin = segment.range.begin;
    parts_->append_stretch(std::string(text.substr(begin, segment.range.end - begin)), begin == 0,
                           *cache, encoding.ids);
  }
  parts_->caches.give_back(std::move(cache));
  if (add_special) {
    encoding.ids.insert(encoding.ids.end(), around.behind.begin(), around.behind.end());
  }
  return encoding;
}

std::string Tokenizer::decode(std::span<const std::uint32_t> ids, bool skip_special) const {
  std::vector<std::string> pieces;
  pieces.reserve(ids.size());
  for (const std::uint32_t id : ids) {
    const std::string& text = parts_->text(id);
    if (!parts_->has_token(id) || (skip_special && parts_->special_texts.contains(text))) continue;
    pieces.push_back(text);
  }
  parts_->decoder(pieces);
  return fmt::format("{}", fmt::join(pieces, ""));
}

const std::string& Tokenizer::piece(std::uint32_t id) const { return parts_->text(id); }

std::size_t Tokenizer::vocab_size() const { return parts_->n_ids; }

std::optional<std::uint32_t> Tokenizer::bos_id() const {
  const std::vector<std::uint32_t>& before = parts_->surrounding.before;
  return before.empty() ? std::nullopt : std::optional(before.front());
}

Tokenizer open_tokenizer(const std::filesystem::path& dir) {
  const std::filesystem::path json_file = dir / "tokenizer.json";
  const std::filesystem::path model_file = dir / "tokenizer.model";
  std::error_code ignored;
  if (std::filesystem::exists(json_file, ignored)) {
    return Tokenizer(io::read_json_file(json_file), json_file);
  }
  if (!std::filesystem::exists(model_file, ignored)) report_missing_tokenizer(dir);
  return Tokenizer(sentencepiece_tokenizer(dir), model_file);
}

}  // namespace lq::text

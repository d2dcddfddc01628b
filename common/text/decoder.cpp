#include "common/text/decoder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/ranges.h>
#include <optional>
#include <utility>

#include "common/text/byte_level.h"
#include "common/text/normalizer.h"
#include "common/text/utf8.h"

namespace lq::text {
namespace {

using Pieces = std::vector<std::string>;

std::string joined(const Pieces& pieces, std::string_view between) {
  return fmt::format("{}", fmt::join(pieces, between));
}

/// The bytes of all pieces together, as a character may begin in one and end in another. A piece
/// with a character that stands for no byte is taken as it is written.
Decoder make_byte_level(const TokenizerPart&) {
  return [](Pieces& pieces) {
    std::string bytes;
    for (const std::string& piece : pieces) bytes += bytes_of_characters(piece).value_or(piece);
    pieces = {valid_utf8(bytes)};
  };
}

/// "<0x0A>"; the digits may be small.
std::optional<char> byte_named(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || !piece.ends_with('>')) return std::nullopt;
  unsigned char byte = 0;
  const char* const end = piece.data() + 5;
  const auto [at, error] = std::from_chars(piece.data() + 3, end, byte, 16);
  if (error != std::errc() || at != end) return std::nullopt;
  return static_cast<char>(byte);
}

/// Each run of named bytes is one piece, or as many U+FFFD as bytes where they are no text.
Decoder make_byte_fallback(const TokenizerPart&) {
  return [](Pieces& pieces) {
    Pieces written;
    std::string run;
    const auto end_run = [&] {
      if (!first_invalid_utf8(run)) {
        if (!run.empty()) written.push_back(std::move(run));
      } else {
        written.insert(written.end(), run.size(), "\uFFFD");
      }
      run.clear();
    };
    for (std::string& piece : pieces) {
      if (const auto byte = byte_named(piece)) {
        run += *byte;
        continue;
      }
      end_run();
      written.push_back(std::move(piece));
    }
    end_run();
    pieces = std::move(written);
  };
}

Decoder make_fuse(const TokenizerPart&) {
  return [](Pieces& pieces) { pieces = {joined(pieces, "")}; };
}

/// As the normalizer of this name, in each piece.
Decoder make_replace(const TokenizerPart& part) {
  return [replace = make_normalizer(part)](Pieces& pieces) {
    for (std::string& piece : pieces) replace(piece);
  };
}

/// Takes `content` up to `start` times from the beginning of each piece and up to `stop` times from
/// its end.
Decoder make_strip(const TokenizerPart& part) {
  return [content = part.character("content", ""), start = part.count("start"),
          stop = part.count("stop")](Pieces& pieces) {
    for (std::string& piece : pieces) {
      std::string_view rest = piece;
      for (std::size_t i = 0; i < start && rest.starts_with(content); ++i) {
        rest.remove_prefix(content.size());
      }
      for (std::size_t i = 0; i < stop && rest.ends_with(content); ++i) {
        rest.remove_suffix(content.size());
      }
      piece = std::string(rest);
    }
  };
}

/// Marks become spaces; those of the first piece go where the pre-tokenizer put one there.
Decoder make_metaspace(const TokenizerPart& part) {
  const std::string mark = part.character("replacement", "\u2581");
  const bool adds = part.flag("add_prefix_space", true);
  const bool prefixed = part.text("prepend_scheme", adds ? "always" : "never") != "never";
  return [=](Pieces& pieces) {
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const std::string_view space = i == 0 && prefixed ? "" : " ";
      const std::string& piece = pieces[i];
      std::string written;
      std::size_t at = 0;
      for (std::size_t next = piece.find(mark); next != piece.npos; next = piece.find(mark, at)) {
        written.append(piece, at, next - at).append(space);
        at = next + mark.size();
      }
      pieces[i] = written.append(piece, at);
    }
  };
}

Decoder make_kind(const TokenizerPart& part);

Decoder make_sequence(const TokenizerPart& part) {
  std::vector<Decoder> steps;
  for (const TokenizerPart& one : part.parts("decoders")) steps.push_back(make_kind(one));
  return [steps = std::move(steps)](Pieces& pieces) {
    for (const Decoder& step : steps) step(pieces);
  };
}

struct Kind {
  std::string_view type;
  Decoder (*make)(const TokenizerPart& part);
};

constexpr std::array kKinds = {
    Kind{"Sequence", make_sequence},
    Kind{"ByteLevel", make_byte_level},
    Kind{"ByteFallback", make_byte_fallback},
    Kind{"Fuse", make_fuse},
    Kind{"Replace", make_replace},
    Kind{"Strip", make_strip},
    Kind{"Metaspace", make_metaspace},
};

Decoder make_kind(const TokenizerPart& part) {
  const auto kind = std::ranges::find(kKinds, part.type(), &Kind::type);
  if (kind == kKinds.end()) part.refuse_type();
  return kind->make(part);
}

}  // namespace

Decoder make_decoder(const TokenizerPart& part) {
  if (!part.is_null()) return make_kind(part);
  return [](Pieces& pieces) { pieces = {joined(pieces, " ")}; };
}

}  // namespace lq::text

// Precompiled: SentencePiece's normalization table, in base64.
//
//   uint32 n_bytes of the trie (little endian) | trie: n_bytes / 4 units | texts, each ended by NUL
//
// The trie is a double array. A unit holds, from bit 0: label (8), has_leaf (1), wide offset (1),
// offset (22); a leaf holds the place of its text in 31 bits. The reference cuts the text into
// grapheme clusters; one of less than six bytes of which some beginning is in the trie is replaced
// as a whole, otherwise each of its code points is looked up.

#include <bit>
#include <cstdint>
#include <openssl/evp.h>
#include <optional>
#include <utf8proc.h>
#include <vector>

#include "common/text/normalizer.h"
#include "common/text/utf8.h"

namespace lq::text {
namespace {

constexpr std::size_t kLongestCluster = 5;

class CharsMap {
 public:
  explicit CharsMap(const TokenizerPart& part) {
    const std::string bytes = decode(part);
    if (bytes.size() < 4) part.reject("its table of characters is empty");
    const std::size_t trie_bytes = word_at(bytes, 0);
    if (trie_bytes % 4 != 0 || trie_bytes == 0 || trie_bytes > bytes.size() - 4) {
      part.reject("its table of characters is damaged");
    }
    for (std::size_t at = 4; at < 4 + trie_bytes; at += 4) units_.push_back(word_at(bytes, at));
    texts_ = bytes.substr(4 + trie_bytes);
  }

  void apply(std::string& text) const {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
      const std::string_view cluster = std::string_view(text).substr(at, cluster_bytes(text, at));
      append_replaced(cluster, out);
      at += cluster.size();
    }
    text = std::move(out);
  }

 private:
  static std::string decode(const TokenizerPart& part) {
    const std::string base64 = part.text("precompiled_charsmap");
    std::string bytes(base64.size() / 4 * 3 + 3, '\0');
    const int n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                  reinterpret_cast<const unsigned char*>(base64.data()),
                                  static_cast<int>(base64.size()));
    if (n < 0) part.reject("its table of characters is not in base64");
    bytes.resize(static_cast<std::size_t>(n));
    return bytes;
  }

  static std::uint32_t word_at(std::string_view bytes, std::size_t at) {
    std::uint32_t word = 0;
    for (std::size_t i = 4; i-- > 0;) word = word << 8U | static_cast<unsigned char>(bytes[at + i]);
    return word;
  }

  static std::size_t cluster_bytes(std::string_view text, std::size_t at) {
    CodePoint point = code_point_at(text, at);
    std::size_t end = at + point.n_bytes;
    utf8proc_int32_t state = 0;
    while (end < text.size()) {
      const CodePoint next = code_point_at(text, end);
      const bool plain = point.value < 0x80 && next.value < 0x80 && point.value != '\r';
      if (plain ||
          utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(point.value),
                                           static_cast<utf8proc_int32_t>(next.value), &state)) {
        break;
      }
      end += next.n_bytes;
      point = next;
    }
    return end - at;
  }

  void append_replaced(std::string_view cluster, std::string& out) const {
    if (cluster.size() <= kLongestCluster) {
      if (const auto found = find(cluster)) {
        out += *found;
        return;
      }
    }
    for (std::size_t at = 0; at < cluster.size();) {
      const std::string_view one = cluster.substr(at, code_point_at(cluster, at).n_bytes);
      out += find(one).value_or(one);
      at += one.size();
    }
  }

  static std::size_t offset_of(std::uint32_t unit) {
    return std::size_t{unit >> 10U} << ((unit & 0x200U) >> 6U);
  }

  /// What stands for the shortest beginning of `text` that the trie has.
  std::optional<std::string_view> find(std::string_view text) const {
    std::size_t node = offset_of(units_[0]);
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      node ^= byte;
      if (byte == 0 || node >= units_.size()) return std::nullopt;
      const std::uint32_t unit = units_[node];
      if ((unit & 0x800000FFU) != byte) return std::nullopt;
      node ^= offset_of(unit);
      if ((unit & 0x100U) == 0) continue;
      if (node >= units_.size()) return std::nullopt;
      const std::size_t begin = units_[node] & 0x7FFFFFFFU;
      if (begin >= texts_.size()) return std::nullopt;
      const std::string_view rest = std::string_view(texts_).substr(begin);
      return rest.substr(0, rest.find('\0'));
    }
    return std::nullopt;
  }

  std::vector<std::uint32_t> units_;
  std::string texts_;
};

}  // namespace

Normalizer make_precompiled_charsmap(const TokenizerPart& part) {
  return [map = CharsMap(part)](std::string& text) { map.apply(text); };
}

}  // namespace lq::text

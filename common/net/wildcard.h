#pragma once
// Shell patterns as the reference client understands them (Python's fnmatch).

#include <string_view>

namespace lq::net {

/// `*` (also across `/`), `?`, `[abc]`, `[a-z]`, `[!abc]`; no escape character; case matters; an
/// unclosed `[` is itself. A backslash counts as `/` on both sides; a pattern that ends in `/`
/// stands for everything below. Takes time linear in pattern times path.
bool matches(std::string_view pattern, std::string_view path);

}  // namespace lq::net

#pragma once
// Statistics of the values x at one site: what quantizers need to know of a linear layer's inputs.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/linalg/aligned.h"
#include "common/linalg/gram.h"
#include "common/linalg/matrix.h"

namespace lq::calibration {

/// How much of the sum of x x^T is kept.
enum class GramKind : std::uint8_t {
  kNone,   // its diagonal alone, which is sum x^2
  kBlock,  // squares of kGramBlock channels along the diagonal
  kFull,
};
inline constexpr std::size_t kGramBlock = 128;

/// "diag", "block", "full": as the option and the files say.
std::string_view gram_kind_name(GramKind kind);

/// The squares along the diagonal that a kind keeps of a width of `d` channels: [first, first + n).
struct GramSquare {
  std::size_t first = 0, n = 0;
  std::size_t place = 0;  // of its elements in SiteStats::gram; row after row, n each
};
std::vector<GramSquare> gram_squares(GramKind kind, std::size_t d);
/// Elements of all squares together.
std::size_t gram_elems(GramKind kind, std::size_t d);
/// Of elements above the diagonals.
std::size_t gram_pairs(GramKind kind, std::size_t d);

struct SiteStats {
  SiteStats() = default;
  /// Of no tokens yet.
  SiteStats(GramKind kept, std::size_t d);

  GramKind kind = GramKind::kNone;
  std::int64_t count = 0;                    // tokens
  std::vector<double> sum, sum_abs, sum_sq;  // [d]; empty what a file has not kept, but sum_sq
  std::vector<float> max_abs;                // [d], or empty
  /// Sum of x x^T in the squares of `kind`. Only elements on and above the diagonal are kept right
  /// while sums are made; those of a file are all there.
  linalg::AlignedVector<float> gram;

  std::size_t width() const { return sum_sq.size(); }
  /// Adds the rows of x [n, d]. The result depends on where rows are cut into calls, not on the
  /// threads.
  void add_rows(const linalg::Matrix& x, linalg::GramProducts& products, int n_threads);
  /// REQUIRES: of the same kind and width.
  void add(const SiteStats& other, int n_threads);
  /// Memory in bytes of one of that kind and width.
  static std::uint64_t bytes(GramKind kind, std::size_t d);
};

}  // namespace lq::calibration

#include "common/calibration/site_stats.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <span>

#include "common/kernels/channel_sums.h"
#include "common/parallel/parallel_for.h"

namespace lq::calibration {
namespace {

constexpr std::size_t kStrip = 512;  // channels that one thread sums

template <class T>
void add_each(std::span<T> to, std::span<const T> from) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i];
}

}  // namespace

std::string_view gram_kind_name(GramKind kind) {
  constexpr std::array<std::string_view, 3> kNames = {"diag", "block", "full"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::vector<GramSquare> gram_squares(GramKind kind, std::size_t d) {
  std::vector<GramSquare> squares;
  if (kind == GramKind::kNone) return squares;
  const std::size_t size = kind == GramKind::kFull ? d : kGramBlock;
  for (std::size_t first = 0, place = 0; first < d; first += size) {
    const std::size_t n = std::min(size, d - first);
    squares.push_back({first, n, place});
    place += n * n;
  }
  return squares;
}

std::size_t gram_elems(GramKind kind, std::size_t d) {
  const std::vector<GramSquare> squares = gram_squares(kind, d);
  return squares.empty() ? 0 : squares.back().place + squares.back().n * squares.back().n;
}

std::size_t gram_pairs(GramKind kind, std::size_t d) {
  std::size_t pairs = 0;
  for (const GramSquare& square : gram_squares(kind, d)) pairs += square.n * (square.n - 1) / 2;
  return pairs;
}

SiteStats::SiteStats(GramKind kept, std::size_t d)
    : kind(kept), sum(d), sum_abs(d), sum_sq(d), max_abs(d) {
  gram.assign(gram_elems(kept, d), 0.0F);
}

void SiteStats::add_rows(const linalg::Matrix& x, linalg::GramProducts& products, int n_threads) {
  assert(x.columns() == width());
  count += static_cast<std::int64_t>(x.rows());
  const std::size_t d = width();
  parallel::parallel_for((d + kStrip - 1) / kStrip, n_threads, [&](std::size_t strip, int) {
    const std::size_t first = strip * kStrip, n = std::min(kStrip, d - first);
    kernels::add_channel_sums(x.dtype(), x.at(0, first), x.rows(), x.row_bytes(), n,
                              {sum.data() + first, sum_abs.data() + first, sum_sq.data() + first,
                               max_abs.data() + first});
  });
  if (kind == GramKind::kFull) products.add(x, gram.data());
  if (kind == GramKind::kBlock) products.add_squares(x, kGramBlock, gram.data());
}

void SiteStats::add(const SiteStats& other, int n_threads) {
  assert(other.kind == kind && other.width() == width());
  count += other.count;
  add_each<double>(sum, other.sum);
  add_each<double>(sum_abs, other.sum_abs);
  add_each<double>(sum_sq, other.sum_sq);
  for (std::size_t i = 0; i < width(); ++i) max_abs[i] = std::max(max_abs[i], other.max_abs[i]);
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  parallel::parallel_for(
      (gram.size() + kPiece - 1) / kPiece, n_threads, [&](std::size_t piece, int) {
        const std::size_t first = piece * kPiece, n = std::min(kPiece, gram.size() - first);
        add_each<float>(std::span(gram).subspan(first, n), std::span(other.gram).subspan(first, n));
      });
}

std::uint64_t SiteStats::bytes(GramKind kind, std::size_t d) {
  return d * (3 * sizeof(double) + sizeof(float)) + gram_elems(kind, d) * sizeof(float);
}

}  // namespace lq::calibration

#include "tools/lq-quant-gguf/unit.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <vector>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/codec/codec.h"
#include "common/kernels/convert.h"

namespace lq::quant_gguf {
namespace {

// Rows are widened and encoded in slices of this many elements, which stay in the second-level
// cache between the two.
constexpr std::uint64_t kSliceElems = std::uint64_t{1} << 16;

/// What a worker needs for a piece, kept for its next ones: fresh memory for every piece would cost
/// as much time as reading it.
struct Buffers {
  std::vector<std::byte> source;
  std::vector<float> slice;
  std::vector<std::vector<std::byte>> encoded;  // by result
};

Buffers& buffers_of_this_thread() {
  thread_local Buffers buffers;
  return buffers;
}

template <class T>
std::span<T> first_of(std::vector<T>& buffer, std::size_t n) {
  if (buffer.size() < n) buffer.resize(n);
  return std::span(buffer).first(n);
}

/// `row` and `column` are places in the source.
[[noreturn]] void fail_not_finite(const model::GgufTensor& tensor, std::uint64_t row,
                                  std::uint64_t column, float value) {
  const std::string& name = tensor.source == nullptr ? tensor.name : tensor.source->name;
  throw base::ValidationError(
      fmt::format("cannot quantize {}", base::escape_controls(name)),
      fmt::format("the weight at row {}, column {} is {}", row, column,
                  std::isnan(value) ? "not a number" : "infinite, or beyond float32"),
      "the model is damaged: fetch it again, or ask its makers");
}

/// The rows of a piece as float32, in output order. A matrix is read as bytes and widened slice by
/// slice; a vector (norm, bias, rope factors) is small and comes whole.
class PieceRows {
 public:
  PieceRows(const Job& job, const Piece& piece, Buffers& buffers)
      : tensor_(job.tensors[piece.tensor]), piece_(piece) {
    if (!tensor_.is_matrix) {
      vector_ = model::read_vector(job.checkpoint, tensor_);
      require_finite_vector();
      return;
    }
    row_bytes_ = tensor_.source->n_bytes / tensor_.n_rows();
    bytes_ = first_of(buffers.source, piece.n_rows * row_bytes_);
    job.checkpoint.weights->read(*tensor_.source, piece.first_row * row_bytes_, bytes_);
  }

  /// Rows [first, first + n) of the piece. REQUIRES: out.size() == n * row_elems.
  void widen(std::uint64_t first, std::uint64_t n, std::span<float> out) const {
    const std::uint64_t row_elems = tensor_.row_elems();
    if (!tensor_.is_matrix) {
      std::ranges::copy(vector_, out.begin());
    } else if (tensor_.interleave_heads == 0) {
      convert(first, n, out);
    } else {
      for (std::uint64_t i = 0; i < n; ++i) {
        const std::uint64_t row = tensor_.source_row(piece_.first_row + first + i);
        convert(row - piece_.first_row, 1, out.subspan(i * row_elems, row_elems));
      }
    }
  }

 private:
  void convert(std::uint64_t source_row, std::uint64_t n, std::span<float> out) const {
    const auto bytes = bytes_.subspan(source_row * row_bytes_, n * row_bytes_);
    const std::size_t bad = kernels::widen_to_f32(tensor_.source->dtype, bytes, out);
    if (bad == kernels::kAllFinite) return;
    const std::uint64_t row_elems = tensor_.row_elems();
    fail_not_finite(tensor_, piece_.first_row + source_row + bad / row_elems, bad % row_elems,
                    out[bad]);
  }

  void require_finite_vector() const {
    const std::size_t bad = kernels::first_non_finite(vector_);
    if (bad != kernels::kAllFinite) {
      fail_not_finite(tensor_, 0, tensor_.source_row(bad), vector_[bad]);
    }
  }

  const model::GgufTensor& tensor_;
  const Piece& piece_;
  std::uint64_t row_bytes_ = 0;
  std::span<std::byte> bytes_;
  std::vector<float> vector_;
};

void write_header(const Job& job, const HeaderPiece& header, stage::UnitSink& sink) {
  if (!sink.wanted(header.result)) return;
  sink.write(header.result, job.results[header.result].parts[header.file].layout.header);
}

struct Target {
  std::size_t result;
  const codec::Codec* codec;
  std::uint64_t row_bytes;
  std::span<std::byte> bytes;
};

std::vector<Target> targets_of(const Job& job, const Piece& piece, const stage::UnitSink& sink,
                               Buffers& buffers) {
  std::vector<Target> targets;
  buffers.encoded.resize(job.results.size());
  for (std::size_t r = 0; r < job.results.size(); ++r) {
    if (!sink.wanted(r)) continue;
    const codec::Codec& codec = codec::codec(job.results[r].contents.choices[piece.tensor].type);
    const std::uint64_t row_bytes = codec.bytes_for(job.tensors[piece.tensor].row_elems());
    targets.push_back(
        {r, &codec, row_bytes, first_of(buffers.encoded[r], piece.n_rows * row_bytes)});
  }
  return targets;
}

void write_piece(const Job& job, const Piece& piece, stage::UnitSink& sink) {
  Buffers& buffers = buffers_of_this_thread();
  const std::vector<Target> targets = targets_of(job, piece, sink, buffers);
  if (targets.empty()) return;
  const std::uint64_t row_elems = job.tensors[piece.tensor].row_elems();
  const std::uint64_t slice_rows = std::max<std::uint64_t>(1, kSliceElems / row_elems);
  const PieceRows source(job, piece, buffers);
  const std::span<float> slice =
      first_of(buffers.slice, std::min(slice_rows, piece.n_rows) * row_elems);
  for (std::uint64_t row = 0; row < piece.n_rows; row += slice_rows) {
    const std::uint64_t n = std::min(slice_rows, piece.n_rows - row);
    const std::span<float> values = slice.first(n * row_elems);
    source.widen(row, n, values);
    for (const Target& target : targets) {
      target.codec->encode(
          {values.data(), static_cast<std::int64_t>(n), static_cast<std::int64_t>(row_elems),
           job.importance_of(piece.tensor), static_cast<std::int64_t>(piece.first_row + row)},
          target.bytes.data() + row * target.row_bytes);
    }
  }
  for (const Target& target : targets) sink.write(target.result, target.bytes);
}

}  // namespace

void GgufWork::run(std::size_t unit, stage::UnitSink& sink) {
  if (unit < job_.headers.size()) {
    write_header(job_, job_.headers[unit], sink);
    return;
  }
  const Piece& piece = job_.pieces[unit - job_.headers.size()];
  try {
    write_piece(job_, piece, sink);
  } catch (const base::ConversionError& error) {
    throw base::ConversionError(fmt::format("{} ({})", error.what(),
                                            base::escape_controls(job_.tensors[piece.tensor].name)),
                                error.why(), error.fix());
  }
}

}  // namespace lq::quant_gguf

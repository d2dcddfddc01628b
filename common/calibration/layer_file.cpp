#include "common/calibration/layer_file.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <functional>
#include <limits>
#include <span>
#include <string>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/input_file.h"
#include "common/io/zstd.h"
#include "common/parallel/parallel_for.h"
#include "common/safetensors/header.h"
#include "common/safetensors/layout.h"

namespace lq::calibration {
namespace {

using safetensors::TensorSpec;
using tensor::DType;

constexpr double kOne = 32767;                 // a correlation of 1
constexpr const char* kIdKey = "calibration";  // in the file's metadata
constexpr int kCompression = 1;
// Content of one frame: frames are made by different threads.
constexpr std::size_t kFrameBytes = std::size_t{4} << 20;
constexpr std::size_t kStripRows = 32;

static_assert(std::endian::native == std::endian::little, "values are copied as they lie");

/// Where row i of the pairs of a square with n channels begins.
std::size_t pairs_before(std::size_t i, std::size_t n) { return i * (2 * n - i - 1) / 2; }

/// 1 / sqrt(sum x^2), or 0 of channels that stayed silent.
std::vector<double> inverse_norms(std::span<const double> sum_sq) {
  std::vector<double> inverse;
  for (const double x : sum_sq) inverse.push_back(x > 0 ? 1 / std::sqrt(x) : 0);
  return inverse;
}

std::vector<double> norms(std::span<const double> sum_sq) {
  std::vector<double> roots;
  for (const double x : sum_sq) roots.push_back(std::sqrt(x));
  return roots;
}

/// body(square, row) for all rows of all squares.
template <class Body>
void for_each_row(std::span<const GramSquare> squares, int n_threads, Body body) {
  std::vector<std::pair<const GramSquare*, std::size_t>> strips;
  for (const GramSquare& square : squares) {
    for (std::size_t row = 0; row < square.n; row += kStripRows) strips.emplace_back(&square, row);
  }
  parallel::parallel_for(strips.size(), n_threads, [&](std::size_t i, int) {
    const auto [square, first] = strips[i];
    for (std::size_t row = first; row < std::min(first + kStripRows, square->n); ++row) {
      body(*square, row);
    }
  });
}

/// Where the pairs of each square begin among those of all.
std::vector<std::size_t> pair_places(std::span<const GramSquare> squares) {
  std::vector<std::size_t> places;
  std::size_t place = 0;
  for (const GramSquare& square : squares) {
    places.push_back(place);
    place += square.n * (square.n - 1) / 2;
  }
  return places;
}

void encode_gram(const SiteStats& stats, std::int16_t* out, int n_threads) {
  const std::vector<double> inverse = inverse_norms(stats.sum_sq);
  const std::vector<GramSquare> squares = gram_squares(stats.kind, stats.width());
  const std::vector<std::size_t> places = pair_places(squares);
  for_each_row(squares, n_threads, [&](const GramSquare& square, std::size_t i) {
    const float* const row = stats.gram.data() + square.place + i * square.n;
    std::int16_t* const codes = out + places[static_cast<std::size_t>(&square - squares.data())] +
                                pairs_before(i, square.n);
    const double scale = kOne * inverse[square.first + i];
    for (std::size_t j = i + 1; j < square.n; ++j) {
      const double code = double{row[j]} * scale * inverse[square.first + j];
      codes[j - i - 1] = static_cast<std::int16_t>(std::nearbyint(std::clamp(code, -kOne, kOne)));
    }
  });
}

void decode_gram(std::span<const std::int16_t> codes, SiteStats& stats, int n_threads) {
  const std::vector<double> roots = norms(stats.sum_sq);
  const std::vector<GramSquare> squares = gram_squares(stats.kind, stats.width());
  const std::vector<std::size_t> places = pair_places(squares);
  for_each_row(squares, n_threads, [&](const GramSquare& square, std::size_t i) {
    float* const first = stats.gram.data() + square.place;
    const std::int16_t* const row = codes.data() +
                                    places[static_cast<std::size_t>(&square - squares.data())] +
                                    pairs_before(i, square.n);
    first[i * square.n + i] = static_cast<float>(stats.sum_sq[square.first + i]);
    const double scale = roots[square.first + i] / kOne;
    for (std::size_t j = i + 1; j < square.n; ++j) {
      const auto value = static_cast<float>(row[j - i - 1] * scale * roots[square.first + j]);
      first[i * square.n + j] = first[j * square.n + i] = value;
    }
  });
}

std::string tensor_name(const SiteRow& row, std::string_view what) {
  return fmt::format("{}.{}", row.name, what);
}

std::int64_t extent(std::size_t n) { return static_cast<std::int64_t>(n); }

/// The tensors of a file, and who fills their bytes.
class Contents {
 public:
  template <class T>
  void add(std::string name, DType dtype, tensor::Shape shape, std::span<const T> values) {
    add(std::move(name), dtype, std::move(shape), [bytes = std::as_bytes(values)](std::byte* out) {
      if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
    });
  }
  void add(std::string name, DType dtype, tensor::Shape shape,
           std::function<void(std::byte*)> fill) {
    specs_.push_back({std::move(name), dtype, std::move(shape)});
    fills_.push_back(std::move(fill));
  }

  /// The plain file, and where its large tensors begin: those of two bytes an element lie last.
  struct Plain {
    std::vector<std::byte> bytes;
    std::uint64_t sums_end = 0;
  };
  Plain plain(const std::string& id) const {
    const safetensors::Layout layout = safetensors::lay_out(specs_, {{kIdKey, id}});
    Plain file{std::vector<std::byte>(layout.file_bytes), layout.file_bytes};
    std::ranges::copy(layout.header, file.bytes.begin());
    for (std::size_t i = 0; i < fills_.size(); ++i) {
      fills_[i](file.bytes.data() + layout.offsets[i]);
      if (tensor::dtype_row(specs_[i].dtype).bits > 16) continue;
      file.sums_end = std::min(file.sums_end, layout.offsets[i]);
    }
    return file;
  }

 private:
  std::vector<TensorSpec> specs_;
  std::vector<std::function<void(std::byte*)>> fills_;
};

/// In frames that different threads make. The sums are one of their own, so that who reads nothing
/// else is told when they are damaged.
std::vector<std::byte> compressed(const Contents::Plain& plain, int n_threads) {
  std::vector<std::span<const std::byte>> pieces = {std::span(plain.bytes).first(plain.sums_end)};
  for (std::uint64_t first = plain.sums_end; first < plain.bytes.size(); first += kFrameBytes) {
    pieces.push_back(
        std::span(plain.bytes).subspan(first, std::min(kFrameBytes, plain.bytes.size() - first)));
  }
  std::vector<std::vector<std::byte>> frames(pieces.size());
  parallel::parallel_for(pieces.size(), n_threads, [&](std::size_t i, int) {
    frames[i] = io::zstd_frame(pieces[i], kCompression);
  });
  std::size_t size = 0;
  for (const auto& frame : frames) size += frame.size();
  std::vector<std::byte> file;
  file.reserve(size);
  for (auto& frame : frames) {
    file.insert(file.end(), frame.begin(), frame.end());
    std::vector<std::byte>().swap(frame);
  }
  return file;
}

/// The tensors of a compressed file, in the order in which they lie there.
class LayerReader {
 public:
  explicit LayerReader(const std::filesystem::path& path) : file_(path), content_(file_) {
    std::string header(8, '\0');
    content_.read(std::as_writable_bytes(std::span(header)));
    std::uint64_t size = 0;
    std::memcpy(&size, header.data(), sizeof(size));
    constexpr std::uint64_t kMostHeader = std::uint64_t{1} << 20;
    if (size > kMostHeader) fail(fmt::format("its header would have {} bytes", size));
    header.resize(size);
    content_.read(std::as_writable_bytes(std::span(header)));
    header_ = safetensors::parse_header(header, 8 + size, path.string(),
                                        safetensors::Data::kMayBeMissing);
  }

  const tensor::TensorInfo* find(const std::string& name) const {
    const auto found = std::ranges::find(header_.tensors, name, &tensor::TensorInfo::name);
    return found == header_.tensors.end() ? nullptr : &*found;
  }
  std::span<const tensor::TensorInfo> tensors() const { return header_.tensors; }
  std::string id() const {
    const auto found = header_.metadata.find(kIdKey);
    return found == header_.metadata.end() ? "" : found->second;
  }
  /// Throws when what was read last is damaged.
  void finish() { content_.finish_frame(); }

  /// REQUIRES: called in the order of the file.
  template <class T>
  void read(const tensor::TensorInfo& tensor, DType dtype, std::span<T> out) {
    if (tensor.dtype != dtype || tensor.n_elems != out.size()) {
      fail(fmt::format("{} is not {} of {} elements", base::escape_controls(tensor.name),
                       tensor::dtype_row(dtype).name, out.size()));
    }
    content_.skip(tensor.offset - content_.position());
    content_.read(std::as_writable_bytes(out));
  }

  [[noreturn]] void fail(const std::string& why) const {
    throw base::ValidationError(
        fmt::format("cannot use the calibration file {}", base::shown(file_.path())), why,
        "calibrate again");
  }

 private:
  io::InputFile file_;
  io::ZstdReader content_;
  safetensors::Header header_;
};

class LayerDecoder {
 public:
  LayerDecoder(const std::filesystem::path& path, std::span<const SiteShape> shapes,
               const std::string& id, Want want, int n_threads)
      : reader_(path), want_(want), n_threads_(n_threads) {
    if (reader_.id() != id) {
      reader_.fail("it belongs to another calibration; was the directory made again meanwhile?");
    }
    for (const SiteShape& shape : shapes) {
      stats_.sites.emplace_back(shape.row, SiteStats(kind_of(shape), shape.width));
    }
  }

  LayerStats decode() {
    codes_.resize(stats_.sites.size());
    for (const tensor::TensorInfo& tensor : reader_.tensors()) {
      if (tensor.name == "sample" && want_ == Want::kAll) read_sample(tensor);
      for (std::size_t i = 0; i < stats_.sites.size(); ++i) {
        const std::string prefix = tensor_name(*stats_.sites[i].first, "");
        if (!tensor.name.starts_with(prefix)) continue;
        take(tensor, std::string_view(tensor.name).substr(prefix.size()), i);
      }
    }
    reader_.finish();
    for (std::size_t i = 0; i < stats_.sites.size(); ++i) {
      auto& [row, stats] = stats_.sites[i];
      check(*row, stats);
      if (stats.kind != GramKind::kNone) decode_gram(codes_[i], stats, n_threads_);
      std::vector<std::int16_t>().swap(codes_[i]);
    }
    return std::move(stats_);
  }

 private:
  bool has(const SiteRow& row, std::string_view what) const {
    return reader_.find(tensor_name(row, what)) != nullptr;
  }

  GramKind kind_of(const SiteShape& shape) const {
    const tensor::TensorInfo* const gram = reader_.find(tensor_name(*shape.row, "gram"));
    if (gram == nullptr || want_ == Want::kSums) return GramKind::kNone;
    for (const GramKind kind : {GramKind::kFull, GramKind::kBlock}) {
      if (gram->n_elems == gram_pairs(kind, shape.width)) return kind;
    }
    reader_.fail(
        fmt::format("the Gram matrix of {} has {} elements, which fits no kind of {} "
                    "channels",
                    shape.row->name, gram->n_elems, shape.width));
  }

  void take(const tensor::TensorInfo& tensor, std::string_view what, std::size_t site) {
    SiteStats& stats = stats_.sites[site].second;
    if (what == "count") reader_.read(tensor, DType::kI64, std::span(&stats.count, 1));
    if (what == "sum") reader_.read(tensor, DType::kF64, std::span(stats.sum));
    if (what == "sum_abs") reader_.read(tensor, DType::kF64, std::span(stats.sum_abs));
    if (what == "sum_sq") reader_.read(tensor, DType::kF64, std::span(stats.sum_sq));
    if (what == "max_abs") reader_.read(tensor, DType::kF32, std::span(stats.max_abs));
    if (what == "gram" && stats.kind != GramKind::kNone) {
      codes_[site].resize(gram_pairs(stats.kind, stats.width()));
      reader_.read(tensor, DType::kI16, std::span(codes_[site]));
    }
  }

  void read_sample(const tensor::TensorInfo& tensor) {
    constexpr std::int64_t kMostRows = 1 << 16, kWidest = 1 << 20;
    const tensor::Shape& shape = tensor.shape;
    if (shape.size() != 2 || shape[0] > kMostRows || shape[1] > kWidest) {
      reader_.fail("its sample is no matrix of at most 65536 rows");
    }
    stats_.sample.resize(tensor.n_elems);
    reader_.read(tensor, DType::kBF16, std::span(stats_.sample));
  }

  /// What is not there becomes empty.
  void check(const SiteRow& row, SiteStats& stats) const {
    if (!has(row, "sum_sq") || stats.count <= 0) {
      reader_.fail(fmt::format("it has no sums of squares, or no count, of {}", row.name));
    }
    constexpr double kLargest = std::numeric_limits<float>::max();
    const auto within = [](double lowest) {
      return [lowest](double x) { return x >= lowest && x < kLargest; };
    };
    const bool sound = std::ranges::all_of(stats.sum_sq, within(0)) &&
                       std::ranges::all_of(stats.sum_abs, within(0)) &&
                       std::ranges::all_of(stats.max_abs, within(0)) &&
                       std::ranges::all_of(stats.sum, within(-kLargest));
    if (!sound) {
      reader_.fail(
          fmt::format("a sum of {} is not finite, or negative where it cannot be", row.name));
    }
    if (!has(row, "sum")) stats.sum.clear();
    if (!has(row, "sum_abs")) stats.sum_abs.clear();
    if (!has(row, "max_abs")) stats.max_abs.clear();
  }

  LayerReader reader_;
  const Want want_;
  const int n_threads_;
  LayerStats stats_;
  std::vector<std::vector<std::int16_t>> codes_;  // of the Gram matrix of each site
};

/// [channels]; of what was not kept nothing is written.
template <class T>
void add_vector(Contents& contents, std::string name, DType dtype, const std::vector<T>& values) {
  if (values.empty()) return;
  contents.add(std::move(name), dtype, {extent(values.size())}, std::span(values));
}

}  // namespace

std::vector<std::byte> encode_layer(const LayerStats& stats, std::size_t hidden,
                                    const std::string& id, int n_threads) {
  Contents contents;
  for (const auto& [row, site] : stats.sites) {
    contents.add(tensor_name(*row, "count"), DType::kI64, {1}, std::span(&site.count, 1));
    add_vector(contents, tensor_name(*row, "sum"), DType::kF64, site.sum);
    add_vector(contents, tensor_name(*row, "sum_abs"), DType::kF64, site.sum_abs);
    add_vector(contents, tensor_name(*row, "sum_sq"), DType::kF64, site.sum_sq);
    add_vector(contents, tensor_name(*row, "max_abs"), DType::kF32, site.max_abs);
    if (site.kind == GramKind::kNone) continue;
    contents.add(tensor_name(*row, "gram"), DType::kI16,
                 {extent(gram_pairs(site.kind, site.width()))}, [&site, n_threads](std::byte* out) {
                   encode_gram(site, reinterpret_cast<std::int16_t*>(out), n_threads);
                 });
  }
  if (!stats.sample.empty()) {
    contents.add("sample", DType::kBF16, {extent(stats.sample.size() / hidden), extent(hidden)},
                 std::span(stats.sample));
  }
  return compressed(contents.plain(id), n_threads);
}

std::uint64_t layer_file_bytes(std::span<const SiteShape> shapes, GramKind kind,
                               std::size_t sample_elems) {
  constexpr std::uint64_t kHeader = 4096;
  std::uint64_t bytes = kHeader + 2 * sample_elems;
  for (const SiteShape& shape : shapes) {
    bytes += SiteStats::bytes(GramKind::kNone, shape.width) + 2 * gram_pairs(kind, shape.width);
  }
  return bytes + bytes / 64;  // what does not compress grows a little
}

LayerStats read_layer(const std::filesystem::path& path, std::span<const SiteShape> shapes,
                      const std::string& id, Want want, int n_threads) {
  return LayerDecoder(path, shapes, id, want, n_threads).decode();
}

}  // namespace lq::calibration

#include <algorithm>
#include <array>
#include <cassert>

#include "common/codec/codec.h"
#include "common/fidelity/stored_model.h"
#include "common/gguf/reader.h"
#include "common/model/gguf_rows.h"

namespace lq::fidelity {
namespace {

using codec::Codec;
using forward::WeightKey;

// The low four bits of codes stand with those of element i + unit / 2 in a byte.
std::size_t exchanged_halves(std::size_t i, std::size_t unit) { return (i + unit / 2) % unit; }
std::size_t as_pairs(std::size_t i, std::size_t unit) { return i % 2 * (unit / 2) + i / 2; }
std::size_t from_pairs(std::size_t i, std::size_t unit) {
  return 2 * (i % (unit / 2)) + i / (unit / 2);
}

constexpr std::string_view kHalves = "the two codes of each byte are exchanged";
constexpr std::string_view kPairs = "neighbours stand in a byte, where the format has halves";
constexpr std::string_view kNoPairs = "codes that are no neighbours are read as such";

constexpr std::array kOrders32 = {CodeOrder{kHalves, 32, exchanged_halves},
                                  CodeOrder{kPairs, 32, as_pairs},
                                  CodeOrder{kNoPairs, 32, from_pairs}};
constexpr std::array kOrders64 = {CodeOrder{kHalves, 64, exchanged_halves},
                                  CodeOrder{kPairs, 64, as_pairs},
                                  CodeOrder{kNoPairs, 64, from_pairs}};

class BlocksTensor final : public StoredTensor {
 public:
  BlocksTensor(const forward::WeightSource& weights, const WeightKey& key,
               const gguf::Reader& reader, const gguf::TensorInfo& tensor, int interleaved_heads)
      : weights_(weights),
        key_(key),
        reader_(reader),
        tensor_(tensor),
        type_(codec::codec(tensor.type)),
        heads_(interleaved_heads),
        columns_(tensor.dims.front()),
        rows_(tensor.n_elems / columns_) {}

  void read(std::size_t first, std::span<float> out) const override {
    weights_.read(key_, first, out);
  }

  bool read_steps(std::size_t first, std::span<float> out) const override {
    if (type_.grid == nullptr) return false;
    for_blocks(first, out,
               [](const tensor::BlockGrid& grid, std::span<std::uint8_t> /*codes*/,
                  std::span<float> steps) {
                 for (std::size_t i = 0; i < steps.size(); ++i) {
                   steps[i] = grid.scale(static_cast<int>(i) / grid.sub_elems);
                 }
               });
    return true;
  }

  std::span<const CodeOrder> orders() const override {
    if (type_.grid == nullptr || type_.pack == nullptr) return {};
    const double bits = 8.0 * type_.block_bytes / type_.block_elems;
    if (bits < 4 || bits >= 6.5) return {};
    if (type_.block_elems == 32) return kOrders32;
    return bits < 6 ? std::span<const CodeOrder>(kOrders64) : std::span<const CodeOrder>();
  }

  void read_ordered(const CodeOrder& order, std::size_t first,
                    std::span<float> out) const override {
    for_blocks(
        first, out,
        [&](const tensor::BlockGrid& grid, std::span<std::uint8_t> codes, std::span<float> values) {
          for (std::size_t i = 0; i < values.size(); ++i) {
            const std::size_t unit = i / order.unit * order.unit;
            const unsigned low = codes[unit + order.at(i - unit, order.unit)] & 15U;
            const auto code = static_cast<int>((codes[i] & ~15U) | low);
            const int s = static_cast<int>(i) / grid.sub_elems;
            values[i] = grid.scale(s) * static_cast<float>(code - grid.code_bias) -
                        (grid.code_bias != 0 ? 0 : grid.offset(s));
          }
        });
  }

 private:
  /// Calls use(grid, codes, values) for each block that elements from `first` on lie in, and copies
  /// those that are asked for.
  template <class Use>
  void for_blocks(std::size_t first, std::span<float> out, const Use& use) const {
    tensor::BlockGrid grid;
    std::array<std::uint8_t, tensor::kMaxBlockElems> codes;
    std::array<float, tensor::kMaxBlockElems> values;
    std::array<std::byte, 512> block;
    assert(type_.block_bytes <= block.size());
    while (!out.empty()) {
      const std::size_t row = first / columns_, column = first % columns_;
      const std::size_t stands =
          heads_ > 0 ? static_cast<std::size_t>(model::gguf_row(row, rows_, heads_)) : row;
      const std::size_t inside = column % type_.block_elems;
      reader_.read(tensor_, type_.bytes_for(stands * columns_ + column - inside),
                   std::span(block).first(type_.block_bytes));
      type_.grid(block.data(), grid);
      type_.codes(block.data(), std::span(codes).first(type_.block_elems));
      use(grid, std::span(codes).first(type_.block_elems),
          std::span(values).first(type_.block_elems));
      const std::size_t n = std::min(type_.block_elems - inside, out.size());
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(inside), n, out.begin());
      out = out.subspan(n);
      first += n;
    }
  }

  const forward::WeightSource& weights_;
  const WeightKey key_;
  const gguf::Reader& reader_;
  const gguf::TensorInfo& tensor_;
  const Codec& type_;
  const int heads_;
  const std::size_t columns_, rows_;
};

class StoredGguf final : public StoredModel {
 public:
  StoredGguf(const std::filesystem::path& path, const subject::Subject& subject)
      : subject_(subject), reader_(path) {}

  Storage storage(const WeightKey& key) const override {
    const Codec& type = codec::codec(tensor(key).type);
    if (type.quantized) {
      const int bits = static_cast<int>(8 * type.block_bytes / type.block_elems);
      return {std::string(type.name), std::max(bits, 1), 0};
    }
    return {std::string(type.name), 0, rounding_of(type.type)};
  }

  std::unique_ptr<StoredTensor> open(const WeightKey& key) const override {
    if (!storage(key).quantized()) return plain_tensor(subject_.weights(), key);
    const model::TensorRow& row = table_row(subject_.architecture(), key.role);
    return std::make_unique<BlocksTensor>(subject_.weights(), key, reader_, tensor(key),
                                          model::interleaved_heads(row, subject_.config()));
  }

  std::string name(const WeightKey& key) const override {
    return model::gguf_name(table_row(subject_.architecture(), key.role), key.layer, key.is_bias);
  }

 private:
  static double rounding_of(codec::QuantType type) {
    if (type == codec::QuantType::kBF16) return 0x1p-8;
    return type == codec::QuantType::kF16 ? 0x1p-11 : 0x1p-24;
  }
  const gguf::TensorInfo& tensor(const WeightKey& key) const {
    const gguf::TensorInfo* found = reader_.find(name(key));
    // The embeddings stand for an output matrix that is not there.
    if (found == nullptr) found = reader_.find(name({model::TensorRole::kTokenEmbedding}));
    assert(found != nullptr);
    return *found;
  }

  const subject::Subject& subject_;
  const gguf::Reader reader_;
};

}  // namespace

std::unique_ptr<const StoredModel> open_stored_gguf(const std::filesystem::path& path,
                                                    const subject::Subject& subject) {
  return std::make_unique<StoredGguf>(path, subject);
}

}  // namespace lq::fidelity

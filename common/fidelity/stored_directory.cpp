#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "common/fidelity/stored_model.h"
#include "common/hf/quantized_weights.h"
#include "common/model/tensor_map.h"

namespace lq::fidelity {
namespace {

using forward::WeightKey;

std::size_t reversed(std::size_t i, std::size_t unit) { return unit - 1 - i; }
/// AutoAWQ's order of the codes in a word, and what undoes it.
std::size_t awq_order(std::size_t i, std::size_t /*unit*/) {
  constexpr std::array<std::size_t, 8> kOrder = {0, 2, 4, 6, 1, 3, 5, 7};
  return kOrder[i];
}
std::size_t undone_awq_order(std::size_t i, std::size_t /*unit*/) {
  constexpr std::array<std::size_t, 8> kOrder = {0, 4, 1, 5, 2, 6, 3, 7};
  return kOrder[i];
}

constexpr std::string_view kByteOrder = "the codes of each byte are in reverse order";
constexpr std::string_view kWordOrder = "the codes of each word are in reverse order";
constexpr std::string_view kAwqOrder = "the codes of each word are not in the order of the format";

constexpr std::array kNibbleOrders = {
    CodeOrder{kByteOrder, 2, reversed, false, false},
    CodeOrder{kByteOrder, 2, reversed, false, true},
    CodeOrder{kByteOrder, 2, reversed, true, false},
    CodeOrder{kByteOrder, 2, reversed, true, true},
    CodeOrder{kWordOrder, 8, reversed, false, false},
    CodeOrder{kWordOrder, 8, reversed, false, true},
    CodeOrder{kWordOrder, 8, reversed, true, false},
    CodeOrder{kWordOrder, 8, reversed, true, true},
    CodeOrder{kAwqOrder, 8, awq_order, false, false},
    CodeOrder{kAwqOrder, 8, awq_order, true, false},
    CodeOrder{kAwqOrder, 8, awq_order, true, true},
    CodeOrder{kAwqOrder, 8, undone_awq_order, false, false},
    CodeOrder{kAwqOrder, 8, undone_awq_order, true, false},
    CodeOrder{kAwqOrder, 8, undone_awq_order, true, true},
};
constexpr std::array kCrumbOrders = {
    CodeOrder{kByteOrder, 4, reversed, false, false},
    CodeOrder{kByteOrder, 4, reversed, false, true},
    CodeOrder{kWordOrder, 16, reversed, false, false},
    CodeOrder{kWordOrder, 16, reversed, false, true},
};

/// The place of an element within its units; a last unit that is not whole stays.
std::size_t moved(std::size_t i, std::size_t n, const CodeOrder& order) {
  const std::size_t first = i / order.unit * order.unit;
  return first + order.unit > n ? i : first + order.at(i - first, order.unit);
}

class CodesTensor final : public StoredTensor {
 public:
  explicit CodesTensor(tensor::QuantizedMatrix matrix) : matrix_(std::move(matrix)) {}

  void read(std::size_t first, std::span<float> out) const override {
    for_segments(first, out, [&](std::size_t row, std::size_t column, std::span<float> part) {
      const std::uint8_t* const codes = matrix_.codes.data() + row * matrix_.columns + column;
      const std::size_t group = row * matrix_.n_groups() + matrix_.group(column);
      const float scale = matrix_.scales[group];
      const int zero = matrix_.zeros[group];
      for (std::size_t i = 0; i < part.size(); ++i) {
        part[i] = static_cast<float>(codes[i] - zero) * scale;
      }
    });
  }

  bool read_steps(std::size_t first, std::span<float> out) const override {
    for_segments(first, out, [&](std::size_t row, std::size_t column, std::span<float> part) {
      std::ranges::fill(part, matrix_.scales[row * matrix_.n_groups() + matrix_.group(column)]);
    });
    return true;
  }

  std::span<const CodeOrder> orders() const override {
    if (matrix_.bits == 4) return kNibbleOrders;
    if (matrix_.bits == 2) return kCrumbOrders;
    return {};
  }

  void read_ordered(const CodeOrder& order, std::size_t first,
                    std::span<float> out) const override {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::size_t row = (first + i) / matrix_.columns, column = (first + i) % matrix_.columns;
      const std::size_t from_row = order.along_rows ? moved(row, matrix_.rows, order) : row;
      const std::size_t from_column =
          order.along_rows ? column : moved(column, matrix_.columns, order);
      const std::size_t zeros_row = order.of_zeros ? moved(row, matrix_.rows, order) : row;
      const std::size_t group = matrix_.group(column);
      const int code = matrix_.codes[from_row * matrix_.columns + from_column];
      const int zero = matrix_.zeros[zeros_row * matrix_.n_groups() + group];
      out[i] = static_cast<float>(code - zero) * matrix_.scales[row * matrix_.n_groups() + group];
    }
  }

 private:
  /// Calls use(row, column, part) for parts of `out` that lie in one row and one group.
  template <class Use>
  void for_segments(std::size_t first, std::span<float> out, const Use& use) const {
    while (!out.empty()) {
      const std::size_t row = first / matrix_.columns, column = first % matrix_.columns;
      const std::size_t in_group =
          matrix_.group_of.empty() ? matrix_.group_size - column % matrix_.group_size : 1;
      const std::size_t n = std::min({in_group, matrix_.columns - column, out.size()});
      use(row, column, out.first(n));
      out = out.subspan(n);
      first += n;
    }
  }

  const tensor::QuantizedMatrix matrix_;
};

class StoredDirectory final : public StoredModel {
 public:
  StoredDirectory(const std::filesystem::path& path, const subject::Subject& subject)
      : subject_(subject),
        checkpoint_(model::open_checkpoint(path)),
        format_(hf::format_of(checkpoint_.config)) {}

  Storage storage(const WeightKey& key) const override {
    const tensor::TensorInfo* const plain = checkpoint_.weights->find(stored_name(key));
    if (plain != nullptr || format_ == nullptr) {
      const tensor::DTypeRow& dtype =
          tensor::dtype_row(plain != nullptr ? plain->dtype : tensor::DType::kF32);
      return {std::string(dtype.name), 0, rounding_of(dtype.name)};
    }
    const int bits = scheme(key).bits;
    return {std::to_string(bits) + "-bit codes", bits, 0};
  }

  std::unique_ptr<StoredTensor> open(const WeightKey& key) const override {
    if (!storage(key).quantized()) return plain_tensor(subject_.weights(), key);
    return std::make_unique<CodesTensor>(
        format_->decode(*checkpoint_.weights, module(key), scheme(key)));
  }

  std::string name(const WeightKey& key) const override {
    const model::TensorRow& row = table_row(subject_.architecture(), key.role);
    return model::expand_layer(row.hf, key.layer) + (key.is_bias ? ".bias" : ".weight");
  }

 private:
  static double rounding_of(std::string_view dtype) {
    if (dtype == "BF16") return 0x1p-8;
    return dtype == "F16" ? 0x1p-11 : 0x1p-24;
  }
  /// Of tied matrices the one that is there.
  WeightKey stored_key(const WeightKey& key) const {
    return key.role == model::TensorRole::kOutput && checkpoint_.config.tied_embeddings
               ? WeightKey{model::TensorRole::kTokenEmbedding}
               : key;
  }
  std::string stored_name(const WeightKey& key) const { return name(stored_key(key)); }
  std::string module(const WeightKey& key) const {
    const WeightKey stored = stored_key(key);
    return model::expand_layer(table_row(subject_.architecture(), stored.role).hf, stored.layer);
  }
  hf::Scheme scheme(const WeightKey& key) const {
    const auto columns = static_cast<std::size_t>(subject_.weights().shape(key).back());
    return format_->scheme_of(*checkpoint_.weights, module(key), columns).value_or(hf::Scheme());
  }

  const subject::Subject& subject_;
  const model::Checkpoint checkpoint_;
  const hf::Format* const format_;
};

}  // namespace

std::unique_ptr<const StoredModel> open_stored_directory(const std::filesystem::path& path,
                                                         const subject::Subject& subject) {
  return std::make_unique<StoredDirectory>(path, subject);
}

}  // namespace lq::fidelity

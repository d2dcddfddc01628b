#include "common/subject/gguf_weights.h"

#include <algorithm>
#include <cassert>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string>
#include <unordered_set>
#include <vector>

#include "common/base/text.h"
#include "common/model/gguf_rows.h"
#include "common/model/rope_factors.h"
#include "common/model/sound_weights.h"
#include "common/subject/gguf_keys.h"
#include "common/subject/gguf_values.h"

namespace lq::subject {
namespace {

/// Goes through the table and collects what is wrong.
class Matching {
 public:
  Matching(const gguf::Reader& reader, const model::Architecture& architecture)
      : reader_(reader),
        architecture_(architecture),
        keys_(reader.metadata(), reader.files().front()) {}

  /// nullptr for one that is not there, which is a problem where it is `required`.
  const gguf::TensorInfo* find(const std::string& name, const tensor::Shape& shape, bool required) {
    const gguf::TensorInfo* const found = reader_.find(name);
    if (found == nullptr) {
      if (required) problems_.push_back(fmt::format("tensor {} is missing", name));
      return nullptr;
    }
    used_.insert(found);
    if (!std::equal(shape.rbegin(), shape.rend(), found->dims.begin(), found->dims.end(),
                    [](std::int64_t extent, std::uint64_t dim) {
                      return static_cast<std::uint64_t>(extent) == dim;
                    })) {
      problems_.push_back(fmt::format("tensor {} has dimensions [{}], its metadata imply [{}]",
                                      name, fmt::join(found->dims, ", "),
                                      fmt::join(shape.rbegin(), shape.rend(), ", ")));
      return nullptr;
    }
    require_real_values(*found, keys_);
    return found;
  }

  /// Throws for what is wrong, and for tensors that no row of the table asked for: a file that has
  /// them is run otherwise than this would.
  void finish() {
    if (!problems_.empty()) keys_.reject(model::listed(problems_, "; "));
    std::vector<std::string> others;
    for (const gguf::TensorInfo& tensor : reader_.tensors()) {
      const bool is_read = architecture_.rope_factors && tensor.name == model::kRopeFactorsName;
      if (!used_.contains(&tensor) && !is_read) {
        others.push_back(base::escape_controls(tensor.name));
      }
    }
    if (others.empty()) return;
    keys_.refuse(fmt::format("'{}' has no place for {} of its tensors: {}", architecture_.name,
                             others.size(), model::listed(others, ", ")));
  }

 private:
  const gguf::Reader& reader_;
  const model::Architecture& architecture_;
  const GgufKeys keys_;
  std::unordered_set<const gguf::TensorInfo*> used_;
  std::vector<std::string> problems_;
};

}  // namespace

GgufWeights::GgufWeights(const gguf::Reader& reader, const model::Architecture& architecture,
                         const model::ModelConfig& config)
    : reader_(reader) {
  Matching matching(reader, architecture);
  const auto add = [&](const model::TensorRow& row, int layer, bool is_bias, bool required) {
    tensor::Shape shape = {extent_of(row.rows, config)};
    if (!is_bias && row.columns != model::Extent::kNone) {
      shape.push_back(extent_of(row.columns, config));
    }
    const gguf::TensorInfo* const found =
        matching.find(model::gguf_name(row, layer, is_bias), shape, required);
    if (found == nullptr) return;
    tensors_[{row.role, layer, is_bias}] = {found, shape, model::interleaved_heads(row, config)};
  };
  for (const model::TensorRow& row : architecture.tensors) {
    const int first = row.per_layer() ? 0 : -1;
    const int end = row.per_layer() ? static_cast<int>(config.n_layers) : 0;
    for (int layer = first; layer < end; ++layer) {
      add(row, layer, false, row.presence == model::Presence::kRequired);
      if (row.bias != model::Bias::kNone) add(row, layer, true, row.bias == model::Bias::kRequired);
    }
  }
  matching.finish();
  tensors_.try_emplace({model::TensorRole::kOutput},
                       tensors_.at({model::TensorRole::kTokenEmbedding}));
}

tensor::Shape GgufWeights::shape(const forward::WeightKey& key) const {
  const auto found = tensors_.find(key);
  return found == tensors_.end() ? tensor::Shape() : found->second.shape;
}

void GgufWeights::read(const forward::WeightKey& key, std::size_t first,
                       std::span<float> out) const {
  const auto found = tensors_.find(key);
  assert(found != tensors_.end());
  if (found->second.interleaved_heads > 0) {
    read_interleaved(found->second, first, out);
  } else {
    read_values(reader_, *found->second.tensor, first, out);
  }
}

void GgufWeights::read_interleaved(const Stored& stored, std::size_t first,
                                   std::span<float> out) const {
  const auto n_rows = static_cast<std::size_t>(stored.shape.front());
  const std::size_t columns = stored.tensor->n_elems / n_rows;
  if (columns == 1) {  // a bias: less to read than its elements one by one
    std::vector<float> values(n_rows);
    read_values(reader_, *stored.tensor, 0, values);
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = values[model::gguf_row(first + i, n_rows, stored.interleaved_heads)];
    }
    return;
  }
  for (std::size_t done = 0; done < out.size();) {
    const std::size_t row = (first + done) / columns, column = (first + done) % columns;
    const std::size_t n = std::min(columns - column, out.size() - done);
    const std::size_t stands = model::gguf_row(row, n_rows, stored.interleaved_heads);
    read_values(reader_, *stored.tensor, stands * columns + column, out.subspan(done, n));
    done += n;
  }
}

}  // namespace lq::subject

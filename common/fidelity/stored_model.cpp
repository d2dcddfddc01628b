#include "common/fidelity/stored_model.h"

#include <algorithm>
#include <cassert>

namespace lq::fidelity {
namespace {

class PlainTensor final : public StoredTensor {
 public:
  PlainTensor(const forward::WeightSource& weights, const forward::WeightKey& key)
      : weights_(weights), key_(key) {}
  void read(std::size_t first, std::span<float> out) const override {
    weights_.read(key_, first, out);
  }

 private:
  const forward::WeightSource& weights_;
  const forward::WeightKey key_;
};

}  // namespace

bool StoredTensor::read_steps(std::size_t /*first*/, std::span<float> /*out*/) const {
  return false;
}

void StoredTensor::read_ordered(const CodeOrder& /*order*/, std::size_t first,
                                std::span<float> out) const {
  read(first, out);
}

std::unique_ptr<StoredTensor> plain_tensor(const forward::WeightSource& weights,
                                           const forward::WeightKey& key) {
  return std::make_unique<PlainTensor>(weights, key);
}

const model::TensorRow& table_row(const model::Architecture& architecture, model::TensorRole role) {
  const auto found = std::ranges::find(architecture.tensors, role, &model::TensorRow::role);
  assert(found != architecture.tensors.end());
  return *found;
}

std::unique_ptr<const StoredModel> open_stored(const std::filesystem::path& path,
                                               const subject::Subject& subject) {
  return subject.container() == subject::Container::kGguf ? open_stored_gguf(path, subject)
                                                          : open_stored_directory(path, subject);
}

}  // namespace lq::fidelity

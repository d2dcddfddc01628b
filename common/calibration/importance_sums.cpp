#include "common/calibration/importance_sums.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "common/gguf/layout.h"
#include "common/model/tensor_map.h"

namespace lq::calibration {
namespace {

void append(std::string& bytes, std::span<const std::byte> more) {
  bytes.append(reinterpret_cast<const char*>(more.data()), more.size());
}

std::string gguf_file(const ImportanceSums& sums) {
  gguf::Metadata metadata;
  metadata.set("general.type", std::string("imatrix"));
  metadata.set("imatrix.datasets", std::vector<std::string>{sums.dataset});
  metadata.set("imatrix.chunk_count", sums.n_chunks);
  metadata.set("imatrix.chunk_size", sums.chunk_size);
  std::vector<gguf::TensorSpec> specs;
  std::vector<std::span<const float>> values;
  for (const auto& [name, entry] : sums.entries) {
    specs.push_back({name + ".counts", {1, 1}, codec::QuantType::kF32});
    values.emplace_back(&entry.count, 1);
    specs.push_back({name + ".in_sum2", {entry.sum_sq.size(), 1}, codec::QuantType::kF32});
    values.emplace_back(entry.sum_sq);
  }
  const gguf::Layout layout = gguf::lay_out(metadata, specs);
  std::string file;
  append(file, layout.header);
  for (std::size_t i = 0; i < values.size(); ++i) {
    file.resize(layout.offsets[i]);
    append(file, std::as_bytes(values[i]));
  }
  file.resize(layout.file_bytes);
  return file;
}

std::string dat_file(const ImportanceSums& sums) {
  std::string file;
  const auto number = [&file](std::size_t n) {
    const auto value = static_cast<std::int32_t>(n);
    append(file, std::as_bytes(std::span(&value, 1)));
  };
  const auto text = [&](std::string_view chars) {
    number(chars.size());
    file += chars;
  };
  const std::uint32_t n_calls = std::max<std::uint32_t>(sums.n_chunks, 1);
  number(sums.entries.size());
  for (const auto& [name, entry] : importance_of(sums).entries) {
    text(name);
    number(n_calls);
    number(entry.values.size());
    std::vector<float> stored = entry.values;
    for (float& value : stored) value *= static_cast<float>(n_calls);
    append(file, std::as_bytes(std::span(stored)));
  }
  number(sums.n_chunks);
  text(sums.dataset);
  return file;
}

}  // namespace

ImportanceSums importance_sums(const CalibrationDirectory& calibration,
                               const model::Architecture& architecture, bool tied) {
  const Description& description = calibration.description();
  ImportanceSums sums{.entries = {},
                      .dataset = description.data_name,
                      .n_chunks = static_cast<std::uint32_t>(description.n_windows),
                      .chunk_size = static_cast<std::uint32_t>(description.seq_len)};
  const auto take = [&](int layer) {
    const LayerStats stats = calibration.read(layer, Want::kSums, 1);
    for (const model::TensorRow& row : architecture.tensors) {
      const SiteRow* const site = site_of(row.role);
      if (site == nullptr || site->per_layer != (layer >= 0)) continue;
      if (row.role == model::TensorRole::kOutput && tied) continue;
      const SiteStats& found = stats.at(site->site);
      ImportanceSums::Entry entry{{}, static_cast<float>(found.count)};
      for (const double sum : found.sum_sq) entry.sum_sq.push_back(static_cast<float>(sum));
      sums.entries.emplace(model::expand_layer(row.gguf, layer) + ".weight", std::move(entry));
    }
  };
  for (int layer = 0; layer < description.n_layers; ++layer) take(layer);
  if (!description.head_sites.empty()) take(-1);
  return sums;
}

ImportanceMatrix importance_of(const ImportanceSums& sums) {
  ImportanceMatrix matrix;
  matrix.datasets = {sums.dataset};
  matrix.n_chunks = sums.n_chunks;
  for (const auto& [name, entry] : sums.entries) {
    ImportanceEntry means{entry.sum_sq};
    for (float& value : means.values) value /= entry.count;
    matrix.entries.emplace(name, std::move(means));
  }
  return matrix;
}

std::string importance_file(const ImportanceSums& sums, const std::filesystem::path& name) {
  return name.extension() == ".dat" ? dat_file(sums) : gguf_file(sums);
}

}  // namespace lq::calibration

#include "common/calibration/importance_gguf.h"

#include <fmt/format.h>
#include <string>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/gguf/reader.h"

namespace lq::calibration {
namespace {

constexpr std::string_view kSums = ".in_sum2";
constexpr std::string_view kCounts = ".counts";

[[noreturn]] void fail(const std::filesystem::path& path, std::string why) {
  throw base::ValidationError(fmt::format("cannot read importance matrix {}", base::shown(path)),
                              std::move(why), "collect the importance matrix again");
}

std::vector<float> read_values(const gguf::Reader& file, const gguf::TensorInfo& tensor) {
  if (tensor.type != codec::QuantType::kF32) {
    fail(file.files()[0],
         fmt::format("tensor `{}` is not of type F32", base::escape_controls(tensor.name)));
  }
  std::vector<float> values(tensor.n_elems);
  file.read(tensor, 0, std::as_writable_bytes(std::span(values)));
  return values;
}

ImportanceEntry read_entry(const gguf::Reader& file, const gguf::TensorInfo& sums,
                           const std::string& name) {
  const gguf::TensorInfo* counts_tensor = file.find(name + std::string(kCounts));
  if (counts_tensor == nullptr) {
    fail(file.files()[0], fmt::format("`{}` has sums but no counts", base::escape_controls(name)));
  }
  ImportanceEntry entry{read_values(file, sums)};
  const std::vector<float> counts = read_values(file, *counts_tensor);
  const std::size_t ne0 = sums.dims.empty() ? 1 : sums.dims[0];
  const std::size_t n_matrices = entry.values.size() / ne0;
  if (counts.size() != n_matrices && counts.size() != 1) {
    fail(file.files()[0], fmt::format("`{}` has sums for {} matrices, but counts for {}",
                                      base::escape_controls(name), n_matrices, counts.size()));
  }
  for (std::size_t m = 0; m < n_matrices; ++m) {
    const float count = counts[counts.size() == 1 ? 0 : m];
    for (std::size_t i = 0; i < ne0; ++i) {
      float& value = entry.values[m * ne0 + i];
      value = count == 0 ? 1.0F : value / count;
    }
  }
  return entry;
}

}  // namespace

ImportanceMatrix read_importance_gguf(const std::filesystem::path& path) {
  const gguf::Reader file(path);
  const auto* type = file.metadata().get<std::string>("general.type");
  if (type == nullptr || *type != "imatrix") {
    throw base::ValidationError(
        fmt::format("cannot read importance matrix {}", base::shown(path)),
        "it is a GGUF file of another kind: its general.type is not \"imatrix\"",
        "name the file that an importance matrix was saved to");
  }
  ImportanceMatrix matrix;
  using Texts = std::vector<std::string>;
  if (const auto* names = file.metadata().get<Texts>("imatrix.datasets")) matrix.datasets = *names;
  if (const auto* n = file.metadata().get<std::uint32_t>("imatrix.chunk_count")) {
    matrix.n_chunks = *n;
  }
  for (const gguf::TensorInfo& tensor : file.tensors()) {
    if (!tensor.name.ends_with(kSums)) continue;
    const std::string name = tensor.name.substr(0, tensor.name.size() - kSums.size());
    matrix.entries.emplace(name, read_entry(file, tensor, name));
  }
  if (matrix.entries.empty()) fail(path, "it has no entries");
  return matrix;
}

}  // namespace lq::calibration

#include "tools/lq-inspect/facts.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <system_error>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "tools/lq-inspect/gguf_facts.h"
#include "tools/lq-inspect/hf_facts.h"

namespace lq::inspect {
namespace {

namespace fs = std::filesystem;

// In the order of the enumeration.
constexpr std::array kStorages = {
    StorageRow{Storage::kHuggingFace, "huggingface", "Hugging Face directory"},
    StorageRow{Storage::kGguf, "gguf", "GGUF"},
};

}  // namespace

const StorageRow& storage_row(Storage storage) {
  const StorageRow& row = kStorages[static_cast<std::size_t>(storage)];
  assert(row.storage == storage);
  return row;
}

std::vector<TypeShare> type_shares(const ModelFacts& facts) {
  std::map<std::string, TypeShare> by_type;
  for (const TensorFacts& tensor : facts.tensors) {
    TypeShare& share = by_type[tensor.type];
    share.type = tensor.type;
    ++share.n_tensors;
    share.bytes += tensor.bytes;
  }
  std::vector<TypeShare> shares;
  for (const auto& [type, share] : by_type) shares.push_back(share);
  std::ranges::stable_sort(shares, std::greater{}, &TypeShare::bytes);
  return shares;
}

ModelFacts read_facts(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) {
    const std::string shown = base::escape_controls(path);
    throw base::ModelNotFoundError(fmt::format("cannot inspect {}", shown),
                                   status.type() == fs::file_type::not_found
                                       ? "there is no such file or directory"
                                       : base::errno_text(error.value()),
                                   "check the path");
  }
  return fs::is_directory(status) ? hf_facts(path) : gguf_facts(path);
}

}  // namespace lq::inspect

#include "common/safetensors/sharded_model.h"

#include <algorithm>
#include <cassert>
#include <fmt/format.h>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::safetensors {
namespace {

std::string and_more(std::size_t n) {
  return n > 1 ? fmt::format(" (and {} more)", n - 1) : std::string();
}

}  // namespace

ShardedModel::ShardedModel(const std::filesystem::path& dir, Index index, Data data)
    : subject_(fmt::format("cannot open model {}", base::shown(dir))),
      warnings_(std::move(index.warnings)) {
  const std::vector<std::string> names = index.files();
  open_files(dir, names, data);
  take_tensors(index, names);
  check_mapped(index);
  check_total_size(index);
}

void ShardedModel::open_files(const std::filesystem::path& dir,
                              const std::vector<std::string>& names, Data data) {
  std::vector<std::string> missing;
  for (const std::string& name : names) {
    std::error_code ignored;
    if (!std::filesystem::exists(dir / name, ignored)) missing.push_back(name);
  }
  if (!missing.empty()) {
    throw base::ModelNotFoundError(
        subject_,
        fmt::format("{} of {} weight files named by {} are missing: {}{}", missing.size(),
                    names.size(), kIndexName, missing.front(), and_more(missing.size())),
        "fetch the missing files into the directory");
  }
  for (const std::string& name : names) {
    paths_.push_back(dir / name);
    shards_.push_back(std::make_unique<Reader>(paths_.back(), data));
    std::ranges::copy(shards_.back()->warnings(), std::back_inserter(warnings_));
  }
}

void ShardedModel::take_tensors(const Index& index, const std::vector<std::string>& names) {
  std::unordered_map<std::string_view, std::string_view> mapped;
  mapped.reserve(index.weight_map.size());
  for (const auto& [tensor, file] : index.weight_map) mapped.emplace(tensor, file);
  std::unordered_map<std::string_view, std::size_t> unmapped;  // the file where each was met
  std::string_view first_unmapped;
  std::vector<std::string> twice;  // also where the index does not see them
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    for (const tensor::TensorInfo& info : shards_[i]->tensors()) {
      const auto place = mapped.find(info.name);
      if (place != mapped.end() && place->second == names[i]) {
        tensors_.push_back(info);
        tensors_.back().file = i;
      } else if (place != mapped.end()) {
        twice.push_back(fmt::format("`{}` of {}", base::escape_controls(info.name), names[i]));
      }
      if (place != mapped.end()) continue;
      const auto [first, is_new] = unmapped.emplace(info.name, i);
      if (first_unmapped.empty()) first_unmapped = info.name;
      if (is_new) continue;
      throw base::ValidationError(
          subject_,
          fmt::format("tensor `{}` is in {} and in {}, and the index names neither",
                      base::escape_controls(info.name), names[first->second], names[i]),
          "fetch the index again; it must say which of the two counts");
    }
  }
  if (!unmapped.empty()) {
    warnings_.push_back(
        fmt::format("{} tensors in the weight files are not in the index and not used, first `{}`",
                    unmapped.size(), base::escape_controls(first_unmapped)));
  }
  if (!twice.empty()) {
    warnings_.push_back(
        fmt::format("{} tensors are also in files that the index does not name for them, first {}",
                    twice.size(), twice.front()));
  }
  by_name_.reserve(tensors_.size());
  for (const tensor::TensorInfo& info : tensors_) by_name_.emplace(info.name, &info);
}

void ShardedModel::check_mapped(const Index& index) const {
  std::vector<std::size_t> absent;
  for (std::size_t i = 0; i < index.weight_map.size(); ++i) {
    if (find(index.weight_map[i].first) == nullptr) absent.push_back(i);
  }
  if (absent.empty()) return;
  const auto& [tensor, file] = index.weight_map[absent.front()];
  throw base::ValidationError(
      subject_,
      fmt::format("tensor `{}` is not in {}, where the index says it is{}",
                  base::escape_controls(tensor), file, and_more(absent.size())),
      "fetch the index and the weight files again, all of one revision");
}

void ShardedModel::check_total_size(const Index& index) {
  std::uint64_t sum = 0;
  for (const tensor::TensorInfo& info : tensors_) sum += info.n_bytes;
  if (index.total_size && *index.total_size != sum) {
    warnings_.push_back(fmt::format(
        "the index states a total size of {} bytes, the tensors have {}", *index.total_size, sum));
  }
}

void ShardedModel::read(const tensor::TensorInfo& tensor, std::uint64_t offset,
                        std::span<std::byte> out) const {
  assert(tensor.file < shards_.size());
  shards_[tensor.file]->read(tensor, offset, out);
}

const tensor::TensorInfo* ShardedModel::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

std::uint64_t ShardedModel::bytes_read() const {
  std::uint64_t sum = 0;
  for (const auto& shard : shards_) sum += shard->bytes_read();
  return sum;
}

}  // namespace lq::safetensors

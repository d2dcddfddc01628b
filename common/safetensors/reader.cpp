#include "common/safetensors/reader.h"

#include <algorithm>
#include <cassert>
#include <fmt/format.h>
#include <iterator>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::safetensors {

Reader::Reader(const std::filesystem::path& path, Data data, std::vector<std::string> warnings)
    : file_(path), header_(read_header(file_, data)), warnings_(std::move(warnings)) {
  std::ranges::move(header_.warnings, std::back_inserter(warnings_));
  by_name_.reserve(header_.tensors.size());
  for (const tensor::TensorInfo& info : header_.tensors) by_name_.emplace(info.name, &info);
}

void Reader::read(const tensor::TensorInfo& tensor, std::uint64_t offset,
                  std::span<std::byte> out) const {
  assert(offset <= tensor.n_bytes && out.size() <= tensor.n_bytes - offset);
  try {
    file_.read_at(tensor.offset + offset, out);
  } catch (const base::ValidationError& error) {
    throw base::ValidationError(
        fmt::format("{}, in tensor `{}`", error.what(), base::escape_controls(tensor.name)),
        error.why(), error.fix());
  }
  bytes_read_ += out.size();
}

const tensor::TensorInfo* Reader::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

}  // namespace lq::safetensors

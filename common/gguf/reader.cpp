#include "common/gguf/reader.h"

#include <cassert>
#include <fmt/format.h>
#include <optional>
#include <system_error>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/gguf/split.h"

namespace lq::gguf {
namespace {

std::string subject(const std::filesystem::path& path) {
  return fmt::format("cannot read GGUF file {}", base::shown(path));
}

[[noreturn]] void fail(const std::filesystem::path& path, std::string why, std::string fix) {
  throw base::ValidationError(subject(path), std::move(why), std::move(fix));
}

constexpr const char* kFetchParts = "fetch all parts of the model again";

}  // namespace

Reader::Reader(const std::filesystem::path& path) {
  io::InputFile file(path);
  Part part = read_part(file);
  if (split_keys(part.metadata, subject(path))) {
    open_parts(path, std::move(part));
  } else {
    version_ = part.version;
    metadata_ = std::move(part.metadata);
    add(std::move(file), std::move(part));
  }
  index_names();
}

void Reader::open_parts(const std::filesystem::path& path, Part first) {
  const SplitKeys keys = *split_keys(first.metadata, subject(path));
  const std::optional<std::string> stem = split_stem(path.filename().string(), keys);
  if (!stem) {
    fail(path,
         fmt::format("it is part {} of {} of a split model, but is not named like one",
                     keys.number + 1, keys.count),
         fmt::format("rename it to {}", split_name("NAME", keys.number, keys.count)));
  }
  for (std::uint16_t i = 0; i < keys.count; ++i) {
    const std::filesystem::path sibling = path.parent_path() / split_name(*stem, i, keys.count);
    // Whatever else keeps it from being read, InputFile says.
    std::error_code ignored;
    if (std::filesystem::status(sibling, ignored).type() == std::filesystem::file_type::not_found) {
      throw base::ModelNotFoundError(subject(path),
                                     fmt::format("part {} of {}, {}, is missing", i + 1, keys.count,
                                                 base::shown(sibling.filename())),
                                     "fetch the missing part into the same directory");
    }
    io::InputFile file(sibling);
    Part part = read_part(file);
    const std::optional<SplitKeys> own = split_keys(part.metadata, subject(sibling));
    if (!own || own->number != i || own->count != keys.count || own->n_tensors != keys.n_tensors) {
      fail(sibling, fmt::format("its split keys are not those of part {} of {}", i + 1, keys.count),
           kFetchParts);
    }
    if (i == 0) {
      version_ = part.version;
      metadata_ = std::move(part.metadata);
    }
    add(std::move(file), std::move(part));
  }
  if (std::cmp_not_equal(tensors_.size(), keys.n_tensors)) {
    fail(path,
         fmt::format("its {} parts hold {} tensors together, but should hold {}", keys.count,
                     tensors_.size(), keys.n_tensors),
         kFetchParts);
  }
}

void Reader::add(io::InputFile file, Part part) {
  const std::uint64_t end = part.data_offset + part.data_bytes;
  if (file.size() > end) {
    warnings_.push_back(fmt::format("{} has {} bytes after its last tensor",
                                    base::shown(file.path()), file.size() - end));
  }
  for (TensorInfo& tensor : part.tensors) {
    tensor.file = inputs_.size();
    tensors_.push_back(std::move(tensor));
  }
  paths_.push_back(file.path());
  inputs_.push_back(std::move(file));
}

void Reader::index_names() {
  by_name_.reserve(tensors_.size());
  for (const TensorInfo& tensor : tensors_) {
    const auto [other, is_new] = by_name_.emplace(tensor.name, &tensor);
    if (is_new) continue;
    fail(paths_[tensor.file],
         fmt::format("tensor `{}` is also in {}", base::escape_controls(tensor.name),
                     base::escape_controls(paths_[other->second->file].filename().string())),
         kFetchParts);
  }
}

std::uint64_t Reader::file_bytes() const {
  std::uint64_t sum = 0;
  for (const io::InputFile& input : inputs_) sum += input.size();
  return sum;
}

const TensorInfo* Reader::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

void Reader::read(const TensorInfo& tensor, std::uint64_t offset, std::span<std::byte> out) const {
  assert(offset <= tensor.n_bytes && out.size() <= tensor.n_bytes - offset);
  try {
    inputs_[tensor.file].read_at(tensor.offset + offset, out);
  } catch (const base::ValidationError& error) {
    throw base::ValidationError(
        fmt::format("{}, in tensor `{}`", error.what(), base::escape_controls(tensor.name)),
        error.why(), error.fix());
  }
  bytes_read_ += out.size();
}

}  // namespace lq::gguf

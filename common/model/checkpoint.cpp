#include "common/model/checkpoint.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <iterator>
#include <system_error>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/digest.h"
#include "common/io/input_file.h"
#include "common/model/origin.h"
#include "common/model/tensor_map.h"
#include "common/safetensors/model.h"
#include "common/text/chat_templates.h"

namespace lq::model {
namespace {

constexpr std::array<std::string_view, 12> kCompanions = {"config.json",
                                                          "generation_config.json",
                                                          "tokenizer.json",
                                                          "tokenizer.model",
                                                          "tokenizer_config.json",
                                                          "special_tokens_map.json",
                                                          "added_tokens.json",
                                                          "vocab.json",
                                                          "merges.txt",
                                                          "chat_template.jinja",
                                                          "chat_template.json",
                                                          "README.md"};
constexpr std::uint64_t kSampleBytes = 4096;

/// Numbers and texts with their length, so that no two lists hash alike.
class ContentId {
 public:
  void add(std::string_view text) {
    hash_.update(std::to_string(text.size()) + ":");
    hash_.update(text);
  }
  void add(std::uint64_t number) { hash_.update(std::to_string(number) + ","); }
  void add(std::span<const std::byte> bytes) { hash_.update(bytes); }
  std::string hex() { return hash_.hex(); }

 private:
  io::Digest hash_{io::Digest::Algorithm::kSha256};
};

void add_samples(const tensor::TensorSource& weights, const tensor::TensorInfo& info,
                 ContentId& id) {
  std::array<std::byte, kSampleBytes> sample;
  const std::uint64_t size = std::min(kSampleBytes, info.n_bytes);
  const std::uint64_t last = info.n_bytes - size;
  const std::array<std::uint64_t, 3> starts = {0, last / 2, last};
  for (const std::uint64_t start : starts) {
    const std::span<std::byte> bytes = std::span(sample).first(size);
    weights.read(info, start, bytes);
    id.add(bytes);
    if (last == 0) break;
  }
}

std::filesystem::path full_path(const std::filesystem::path& path) {
  std::error_code failed;
  std::filesystem::path full = std::filesystem::absolute(path, failed);
  if (!failed) return full;
  throw base::ModelNotFoundError(
      fmt::format("cannot tell the full path of {}", base::shown(path)),
      fmt::format("the current directory: {}", base::errno_text(failed.value())),
      "change to a directory that exists, or name the path in full");
}

stage::InputFile stated_file(const std::filesystem::path& path) {
  const io::InputFile file(path);
  stage::InputFile stated;
  stated.path = path;
  stated.size = file.size();
  stated.mtime_ns = file.mtime_ns();
  return stated;
}

}  // namespace

std::uint64_t Checkpoint::n_parameters() const {
  const bool quantized = !quantization_method(config).empty();
  std::uint64_t n = 0;
  for (const MappedTensor& tensor : map_tensors(*this).used) {
    if (tensor.found != nullptr) {
      n += tensor.found->n_elems;
    } else if (quantized) {
      // In its place are packed codes; the configuration implies how many.
      std::uint64_t elements = 1;
      for (const std::int64_t extent : tensor.shape) {
        elements *= static_cast<std::uint64_t>(extent);
      }
      n += elements;
    }
  }
  return n;
}

Checkpoint open_checkpoint(const std::filesystem::path& dir) {
  Checkpoint checkpoint;
  checkpoint.dir = dir;
  checkpoint.config = read_config(dir);
  checkpoint.architecture = &find_architecture(checkpoint.config);
  require_complete(checkpoint.config);
  checkpoint.weights = safetensors::open_model(dir);
  return checkpoint;
}

std::span<const std::string_view> companion_names() { return kCompanions; }

std::vector<std::filesystem::path> companion_files(const std::filesystem::path& dir) {
  std::error_code ignored;
  const std::filesystem::path root = full_path(dir);
  std::vector<std::filesystem::path> files;
  for (const std::string_view name : kCompanions) {
    if (std::filesystem::is_regular_file(root / name, ignored)) files.push_back(root / name);
  }
  std::ranges::move(text::named_template_files(root), std::back_inserter(files));
  return files;
}

stage::Input describe_input(const Checkpoint& checkpoint) {
  stage::Input input;
  input.role = "model";
  input.path = full_path(checkpoint.dir);
  ContentId id;
  for (const std::filesystem::path& path : companion_files(checkpoint.dir)) {
    input.files.push_back(stated_file(path));
    id.add(path.filename().string());
    id.add(io::read_text_file(path));
  }
  for (const std::filesystem::path& path : checkpoint.weights->files()) {
    input.files.push_back(stated_file(full_path(path)));
    id.add(path.filename().string());
    id.add(input.files.back().size);
  }
  for (const tensor::TensorInfo& info : checkpoint.weights->tensors()) {
    id.add(info.name);
    id.add(tensor::dtype_row(info.dtype).name);
    for (const std::int64_t extent : info.shape) id.add(static_cast<std::uint64_t>(extent));
    id.add(info.file);
    id.add(info.offset);
    add_samples(*checkpoint.weights, info, id);
  }
  input.content_id = id.hex();
  input.origin = read_origin(checkpoint.dir);
  return input;
}

std::string model_name(const std::filesystem::path& dir) {
  const nlohmann::ordered_json origin = read_origin(dir);
  if (origin.is_object() && origin.contains("repo") && origin["repo"].is_string()) {
    const std::string repo = origin["repo"].get<std::string>();
    // A manifest is a file like any other: a name with a slash or a dot in front would leave the
    // place of outputs.
    const std::string last = repo.substr(repo.rfind('/') + 1);
    if (!last.empty() && last.front() != '.') return last;
  }
  std::error_code failed;
  std::filesystem::path real = std::filesystem::canonical(dir, failed);
  if (failed) real = std::filesystem::absolute(dir, failed).lexically_normal();
  if (failed) return "model";
  if (!real.has_filename()) real = real.parent_path();
  return real.has_filename() ? real.filename().string() : "model";
}

}  // namespace lq::model

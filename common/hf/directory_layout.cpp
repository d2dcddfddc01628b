#include "common/hf/directory_layout.h"

#include <algorithm>
#include <cassert>
#include <fmt/format.h>
#include <unordered_map>
#include <unordered_set>

#include "common/hf/companion_files.h"
#include "common/hf/config_file.h"
#include "common/io/file_status.h"
#include "common/io/input_file.h"
#include "common/model/tensor_map.h"
#include "common/safetensors/index.h"

namespace lq::hf {
namespace {

using tensor::DType;

constexpr std::uint64_t kPieceBytes = std::uint64_t{64} << 20;
// Pieces begin at multiples of this many elements, which are whole bytes of every type.
constexpr std::uint64_t kPieceStep = 64;
constexpr std::uint64_t kWord = 8;
// For the check of the disk.
constexpr std::uint64_t kReadmeBytes = std::uint64_t{64} << 10;

/// A tensor of the source on its way into the result.
struct Copied {
  const tensor::TensorInfo* source;
  DType stored;
  bool is_float;
};

/// What must lie side by side: the tensors of a group, or one copied tensor.
struct Run {
  std::size_t index;  // of the group or the copied tensor
  bool is_group;
  std::vector<safetensors::TensorSpec> specs;
  std::uint64_t bytes = 0;
  std::uint64_t alignment = 1;
};

/// Where a run lies in the data of a weight file.
struct RunPlace {
  std::size_t file;
  std::uint64_t offset;
};

std::string stem_of(std::string_view tensor) {
  constexpr std::string_view kWeight = ".weight";
  return std::string(tensor.substr(0, tensor.size() - kWeight.size()));
}

bool becomes_float(DType dtype) {
  return dtype == DType::kF64 || dtype == DType::kF32 || dtype == DType::kBF16 ||
         dtype == DType::kF16;
}

/// The stored copies of an output matrix that is tied to the embeddings.
std::unordered_set<std::string> tied_copies(const model::Checkpoint& checkpoint,
                                            const model::TensorMap& map) {
  std::unordered_set<std::string> names;
  for (const model::TensorRow& row : checkpoint.architecture->tensors) {
    if (map.output_is_tied && row.presence == model::Presence::kUnlessTied) {
      names.insert(model::expand_layer(row.hf, -1) + ".weight");
    }
  }
  return names;
}

std::vector<Copied> copied_tensors(const DirectoryRequest& request, const model::TensorMap& map) {
  std::unordered_set<std::string> left_out = tied_copies(*request.checkpoint, map);
  for (const Module& module : request.facts.modules) {
    if (module.scheme) left_out.insert(module.name + ".weight");
  }
  for (const auto& floats : request.group_floats) left_out.insert(floats.begin(), floats.end());
  std::unordered_set<const tensor::TensorInfo*> known(map.misplaced_biases.begin(),
                                                      map.misplaced_biases.end());
  for (const model::MappedTensor& tensor : map.used) known.insert(tensor.found);
  std::vector<Copied> all;
  for (const tensor::TensorInfo& info : request.checkpoint->weights->tensors()) {
    if (left_out.contains(info.name)) continue;
    const bool is_float = known.contains(&info) && becomes_float(info.dtype);
    all.push_back({&info, is_float ? request.float_dtype : info.dtype, is_float});
  }
  return all;
}

void finish(Run& run) {
  for (const safetensors::TensorSpec& spec : run.specs) {
    run.bytes += spec.n_bytes();
    run.alignment = std::max(run.alignment, safetensors::alignment_of(spec.dtype));
  }
}

Run run_of(const Copied& copied, std::size_t index) {
  Run run{index, false, {{copied.source->name, copied.stored, copied.source->shape}}};
  finish(run);
  return run;
}

/// A tensor of a group.
struct GroupTensor {
  std::uint64_t* offset;  // in the section
  safetensors::TensorSpec spec;
};

/// Fills in where the tensors of the group lie in its bytes.
Run run_of(const DirectoryRequest& request, std::size_t index, GroupSection& section) {
  std::vector<GroupTensor> tensors;
  // Whole first, because places in it are referred to.
  for (const std::size_t m : request.groups[index]) {
    if (request.facts.modules[m].scheme) section.modules.push_back({m, {}});
  }
  for (ModulePlace& place : section.modules) {
    auto specs = request.format->tensors(request.facts.modules[place.module], request.float_dtype);
    place.offsets.resize(specs.size());
    for (std::size_t t = 0; t < specs.size(); ++t) {
      tensors.push_back({&place.offsets[t], std::move(specs[t])});
    }
  }
  if (!request.group_floats.empty()) {
    for (const std::string& name : request.group_floats[index]) section.floats.push_back({name});
  }
  for (FloatPlace& place : section.floats) {
    const tensor::TensorInfo& info = *request.checkpoint->weights->find(place.name);
    place.n = info.n_elems;
    tensors.push_back({&place.offset, {place.name, request.float_dtype, info.shape}});
  }
  std::ranges::stable_sort(tensors, std::greater(), [](const GroupTensor& tensor) {
    return safetensors::alignment_of(tensor.spec.dtype);
  });
  Run run{index, true, {}};
  std::uint64_t offset = 0;
  for (GroupTensor& tensor : tensors) {
    *tensor.offset = offset;
    offset += tensor.spec.n_bytes();
    run.specs.push_back(std::move(tensor.spec));
  }
  finish(run);
  return run;
}

/// Whole words first, then by falling alignment.
void sort_runs(std::vector<Run>& runs) {
  std::ranges::stable_sort(runs, {}, [](const Run& run) {
    return run.bytes % kWord == 0 ? 0 : 1 + kWord - run.alignment;
  });
}

std::vector<RunPlace> place_runs(const std::vector<Run>& runs, std::uint64_t max_bytes) {
  std::vector<RunPlace> places;
  std::size_t file = 0;
  std::uint64_t filled = 0;
  for (const Run& run : runs) {
    if (filled > 0 && (filled + run.bytes > max_bytes || filled % run.alignment != 0)) {
      ++file;
      filled = 0;
    }
    places.push_back({file, filled});
    filled += run.bytes;
  }
  return places;
}

std::uint64_t bytes_of_elements(DType dtype, std::uint64_t n) {
  const auto bits = static_cast<std::uint64_t>(tensor::dtype_row(dtype).bits);
  return (n * bits + 7) / 8;
}

class Planner {
 public:
  explicit Planner(const DirectoryRequest& request)
      : request_(request), map_(model::map_tensors(*request.checkpoint)) {}

  DirectoryLayout run() {
    copied_ = copied_tensors(request_, map_);
    for (const tensor::TensorInfo* info : map_.left_over) {
      layout_.unknown_tensors.push_back(info->name);
    }
    std::vector<Run> runs = collect_runs();
    sort_runs(runs);
    place(runs);
    add_texts();
    for (const std::filesystem::path& name : copied_companions(request_.checkpoint->dir)) {
      add_copy(name);
    }
    layout_.readme = layout_.files.size();
    layout_.files.push_back({"README.md", stage::kOpenSize, kReadmeBytes});
    return std::move(layout_);
  }

 private:
  std::vector<Run> collect_runs() {
    std::vector<Run> runs;
    for (std::size_t i = 0; i < copied_.size(); ++i) runs.push_back(run_of(copied_[i], i));
    layout_.groups.resize(request_.groups.size());
    for (std::size_t g = 0; g < request_.groups.size(); ++g) {
      Run run = run_of(request_, g, layout_.groups[g]);
      if (!run.specs.empty()) runs.push_back(std::move(run));
    }
    return runs;
  }

  void place(const std::vector<Run>& runs) {
    const std::vector<RunPlace> places = place_runs(runs, request_.max_shard_bytes);
    std::vector<std::vector<safetensors::TensorSpec>> specs(
        places.empty() ? 1 : places.back().file + 1);
    for (std::size_t i = 0; i < runs.size(); ++i) {
      auto& file = specs[places[i].file];
      file.insert(file.end(), runs[i].specs.begin(), runs[i].specs.end());
      layout_.weight_bytes += runs[i].bytes;
    }
    for (std::size_t file = 0; file < specs.size(); ++file) {
      const std::string name = specs.size() == 1 ? "model.safetensors"
                                                 : fmt::format("model-{:05}-of-{:05}.safetensors",
                                                               file + 1, specs.size());
      add_header(name, specs[file]);
    }
    if (specs.size() > 1) add_index(specs);
    for (std::size_t i = 0; i < runs.size(); ++i) add_run(runs[i], places[i]);
  }

  void add_header(const std::string& name, const std::vector<safetensors::TensorSpec>& specs) {
    safetensors::Layout file = safetensors::lay_out_in_order(specs);
    layout_.headers.push_back(
        {{0, layout_.files.size(), 0, file.header.size()}, std::move(file.header)});
    layout_.files.push_back({name, file.file_bytes});
  }

  void add_index(const std::vector<std::vector<safetensors::TensorSpec>>& specs) {
    nlohmann::ordered_json index = {{"metadata", {{"total_size", layout_.weight_bytes}}},
                                    {"weight_map", nlohmann::ordered_json::object()}};
    for (std::size_t file = 0; file < specs.size(); ++file) {
      for (const safetensors::TensorSpec& spec : specs[file]) {
        index["weight_map"].emplace(spec.name, layout_.files[file].path.string());
      }
    }
    index_ = json_text(index);
  }

  void add_run(const Run& run, const RunPlace& place) {
    const std::uint64_t offset = layout_.headers[place.file].bytes.size() + place.offset;
    if (run.is_group) {
      layout_.groups[run.index].place = {0, place.file, offset, run.bytes};
      return;
    }
    const Copied& copied = copied_[run.index];
    const auto bits = static_cast<std::uint64_t>(std::max(
        tensor::dtype_row(copied.source->dtype).bits, tensor::dtype_row(copied.stored).bits));
    const std::uint64_t most = kPieceBytes * 8 / bits / kPieceStep * kPieceStep;
    for (std::uint64_t first = 0; first < copied.source->n_elems; first += most) {
      const std::uint64_t n = std::min(most, copied.source->n_elems - first);
      const std::uint64_t begin = bytes_of_elements(copied.stored, first);
      layout_.pieces.push_back(
          {{0, place.file, offset + begin, bytes_of_elements(copied.stored, n)},
           copied.source,
           copied.stored,
           copied.is_float,
           first,
           n});
    }
  }

  void add_text(const std::filesystem::path& name, std::string text) {
    layout_.files.push_back({name, text.size()});
    layout_.texts.push_back({{0, layout_.files.size() - 1, 0, text.size()}, std::move(text)});
  }

  void add_texts() {
    if (!index_.empty()) add_text(safetensors::kIndexName, std::move(index_));
    QuantizationFacts facts = request_.facts;
    facts.other_linears.clear();
    for (const tensor::TensorInfo* info : map_.left_over) {
      if (info->shape.size() == 2 && info->name.ends_with(".weight")) {
        facts.other_linears.push_back(stem_of(info->name));
      }
    }
    const nlohmann::ordered_json quantization = request_.format->config(facts);
    const std::filesystem::path source = request_.checkpoint->dir / "config.json";
    add_text("config.json", config_text(io::read_text_file(source), source.string(), quantization,
                                        request_.float_dtype));
    if (!request_.format->config_copy.empty()) {
      add_text(request_.format->config_copy, json_text(quantization));
    }
  }

  void add_copy(const std::filesystem::path& name) {
    const std::filesystem::path source = request_.checkpoint->dir / name;
    const std::uint64_t size = io::InputFile(source).size();
    layout_.files.push_back({name, size});
    layout_.copied_files.push_back({{0, layout_.files.size() - 1, 0, size}, source});
  }

  const DirectoryRequest& request_;
  model::TensorMap map_;
  std::vector<Copied> copied_;
  std::string index_;
  DirectoryLayout layout_;
};

}  // namespace

DirectoryLayout lay_out_directory(const DirectoryRequest& request) {
  return Planner(request).run();
}

std::vector<std::byte> group_bytes(const DirectoryRequest& request, const GroupSection& group,
                                   const GroupContents& contents, int n_threads) {
  assert(contents.matrices.size() == group.modules.size());
  assert(contents.floats.size() == group.floats.size());
  std::vector<std::byte> bytes(group.place.size);
  const auto put = [&bytes](std::uint64_t offset, std::span<const std::byte> data) {
    std::ranges::copy(data, bytes.begin() + static_cast<std::ptrdiff_t>(offset));
  };
  for (std::size_t i = 0; i < contents.matrices.size(); ++i) {
    const ModulePlace& place = group.modules[i];
    const Module& module = request.facts.modules[place.module];
    const tensor::QuantizedMatrix& matrix = contents.matrices[i];
    assert(matrix.rows == module.rows && matrix.columns == module.columns);
    const auto data =
        request.format->encode(matrix, *module.scheme, request.float_dtype, n_threads);
    for (std::size_t t = 0; t < data.size(); ++t) put(place.offsets[t], data[t]);
  }
  for (std::size_t i = 0; i < contents.floats.size(); ++i) {
    const FloatPlace& place = group.floats[i];
    assert(contents.floats[i].size() == place.n);
    put(place.offset, float_bytes(place.name, contents.floats[i], request.float_dtype));
  }
  return bytes;
}

}  // namespace lq::hf

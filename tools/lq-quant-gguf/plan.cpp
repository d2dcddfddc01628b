#include "tools/lq-quant-gguf/plan.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

#include "common/base/text.h"
#include "common/calibration/importance_facts.h"
#include "common/io/digest.h"
#include "common/io/input_file.h"
#include "tools/lq-quant-gguf/importance.h"

namespace lq::quant_gguf {
namespace {

namespace fs = std::filesystem;

constexpr int kFormatVersion = 1;

void warn_of_choices(const Job& job, const ResultFile& result, stage::StageObserver& observer) {
  const std::string_view name = result.file_type->name;
  for (const std::string& note : mix::fallback_notes(job.tensors, result.contents.choices)) {
    observer.warning(fmt::format("{}: some tensors take a type whose blocks fit their rows", name),
                     note);
  }
  if (!job.importance && !result.file_type->without_importance.empty()) {
    observer.warning(fmt::format("{} without an importance matrix loses much quality", name),
                     std::string(result.file_type->without_importance));
  }
}

/// What the model says of itself in every type.
struct ModelText {
  gguf::Metadata metadata;
  std::string hash;  // covers names that come from places, and how this version writes metadata
};

ModelText model_text(const model::Checkpoint& checkpoint, const std::string& pre_tokenizer) {
  constexpr std::size_t kDigits = 16;
  ModelText text;
  text.metadata = model::gguf_metadata(
      checkpoint, pre_tokenizer.empty() ? std::nullopt : std::optional(pre_tokenizer));
  text.hash = io::sha256_hex(gguf::lay_out(text.metadata, {}).header).substr(0, kDigits);
  return text;
}

/// Everything that decides the bytes and is not the content of an input.
nlohmann::ordered_json normalised_options(const Options& options, const Request& request,
                                          const mix::FileType& type, const ModelText& text) {
  nlohmann::ordered_json json;
  json["type"] = type.name;
  if (const auto* name = text.metadata.get<std::string>("general.name")) json["name"] = *name;
  json["metadata"] = text.hash;
  json["tensor-type"] = nlohmann::json::array();
  for (const mix::MixOverrides::Pattern& pattern : request.overrides.patterns) {
    json["tensor-type"].push_back(
        fmt::format("{}={}", pattern.regex, codec::codec(pattern.type).name));
  }
  json["output-type"] =
      request.overrides.output ? codec::codec(*request.overrides.output).name : "";
  json["embedding-type"] =
      request.overrides.embedding ? codec::codec(*request.overrides.embedding).name : "";
  json["pure"] = options.pure;
  json["split-max-size"] = options.split_max_bytes;
  return json;
}

nlohmann::ordered_json summary_of(const Job& job, const ResultFile& result) {
  std::uint64_t bytes = 0, elems = 0;
  std::map<std::string, std::size_t> per_type;
  for (const gguf::TensorSpec& tensor : result.contents.tensors) {
    const codec::Codec& codec = codec::codec(tensor.type);
    bytes += tensor.n_bytes();
    elems += tensor.n_bytes() / codec.block_bytes * codec.block_elems;
    ++per_type[std::string(codec.name)];
  }
  nlohmann::ordered_json json;
  json["file_type"] = result.file_type->name;
  json["parameters"] = job.checkpoint.n_parameters();
  json["tensor_bytes"] = bytes;
  json["bits_per_weight"] = 8.0 * static_cast<double>(bytes) / static_cast<double>(elems);
  json["tensors_per_type"] = per_type;
  return json;
}

/// The path of a result with {type} filled in, absolute.
fs::path output_path(const std::string& pattern, const mix::FileType& type) {
  std::string path = pattern;
  const std::size_t at = path.find("{type}");
  if (at != std::string::npos) path.replace(at, 6, type.name);
  return fs::absolute(path).lexically_normal();
}

std::vector<stage::OutputFile> output_files(const fs::path& path,
                                            const std::vector<gguf::SplitPart>& parts) {
  if (parts.size() == 1) return {{path, parts[0].layout.file_bytes}};
  std::vector<stage::OutputFile> files;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    files.push_back(
        {path.parent_path() / gguf::split_name(path.filename().string(), i, parts.size()),
         parts[i].layout.file_bytes});
  }
  return files;
}

void add_header_units(Job& job) {
  for (std::size_t r = 0; r < job.results.size(); ++r) {
    for (std::size_t f = 0; f < job.results[r].parts.size(); ++f) {
      const std::uint64_t size = job.results[r].parts[f].layout.header.size();
      stage::Unit unit;
      unit.name =
          fmt::format("header of {}", job.plan.results[r].files[f].path.filename().string());
      unit.cost = static_cast<double>(size);
      unit.extents = {{r, f, 0, size}};
      job.headers.push_back({r, f});
      job.plan.units.push_back(std::move(unit));
    }
  }
}

/// Where the bytes of some rows of a tensor go in one result.
stage::Extent extent_of(const Job& job, std::size_t result, const Piece& piece) {
  const ResultFile& target = job.results[result];
  std::size_t file = 0;
  while (piece.tensor >= target.parts[file].first_tensor + target.parts[file].n_tensors) ++file;
  const gguf::SplitPart& part = target.parts[file];
  const codec::Codec& codec = codec::codec(target.contents.choices[piece.tensor].type);
  const std::uint64_t row_bytes = codec.bytes_for(job.tensors[piece.tensor].row_elems());
  return {result, file,
          part.layout.offsets[piece.tensor - part.first_tensor] + piece.first_row * row_bytes,
          piece.n_rows * row_bytes};
}

void add_piece_units(Job& job) {
  for (std::size_t t = 0; t < job.tensors.size(); ++t) {
    const model::GgufTensor& tensor = job.tensors[t];
    const std::uint64_t step = mix::rows_per_piece(tensor);
    for (std::uint64_t row = 0; row < tensor.n_rows(); row += step) {
      const Piece piece{t, row, std::min(step, tensor.n_rows() - row)};
      stage::Unit unit;
      unit.name = piece.n_rows == tensor.n_rows()
                      ? tensor.name
                      : fmt::format("{}[{}:{}]", tensor.name, row, row + piece.n_rows);
      unit.cost = static_cast<double>(piece.n_rows * tensor.row_elems());
      for (std::size_t r = 0; r < job.results.size(); ++r) {
        unit.extents.push_back(extent_of(job, r, piece));
      }
      job.pieces.push_back(piece);
      job.plan.units.push_back(std::move(unit));
    }
  }
}

void plan_result(Job& job, const Options& options, const Request& request, const ModelText& text,
                 const mix::FileType& type, const std::string& pattern,
                 const std::vector<stage::Input>& inputs) {
  ResultFile result;
  result.file_type = &type;
  result.contents = mix::plan_gguf_file(text.metadata, job.tensors, job.checkpoint.config, type,
                                        job.importance_facts, request.overrides);
  if (options.split_max_bytes > 0) {
    result.parts = gguf::lay_out_split(result.contents.metadata, result.contents.tensors,
                                       options.split_max_bytes);
  } else {
    result.parts = {{gguf::lay_out(result.contents.metadata, result.contents.tensors), 0,
                     result.contents.tensors.size()}};
  }
  stage::ResultPlan plan;
  plan.tool = "lq-quant-gguf";
  plan.format_version = kFormatVersion;
  plan.files = output_files(output_path(pattern, type), result.parts);
  plan.path = plan.files[0].path;
  plan.inputs = inputs;
  plan.options = normalised_options(options, request, type, text);
  plan.summary = summary_of(job, result);
  job.plan.results.push_back(std::move(plan));
  job.results.push_back(std::move(result));
}

}  // namespace

const float* Job::importance_of(std::size_t tensor) const {
  if (!importance || !tensors[tensor].is_matrix) return nullptr;
  const calibration::ImportanceEntry* entry = importance->find(tensors[tensor].name);
  return entry == nullptr ? nullptr : entry->values.data();
}

Job make_job(const std::string& model_dir, const Options& options, const Request& request,
             const std::string& output, int n_threads, stage::StageObserver& observer) {
  Job job;
  job.checkpoint = model::open_checkpoint(model_dir);
  job.tensors = model::gguf_tensors(job.checkpoint);
  for (const std::string& warning : job.checkpoint.weights->warnings()) {
    observer.warning("the model is unusual", warning);
  }
  for (const std::string& warning : model::gguf_warnings(job.checkpoint)) {
    observer.warning("the GGUF file will differ from the model", warning);
  }
  const ModelText text = model_text(job.checkpoint, options.pre_tokenizer);
  std::vector<stage::Input> inputs = {model::describe_input(job.checkpoint)};
  if (auto read = read_importance(options, job.checkpoint, inputs[0].content_id)) {
    job.importance_facts = calibration::importance_facts(read->matrix);
    fit_importance(
        read->matrix,
        options.importance_path.empty() ? options.calibration_dir : options.importance_path,
        job.tensors, observer);
    job.importance = std::move(read->matrix);
    inputs.push_back(std::move(read->input));
  }
  const std::string pattern =
      !output.empty() ? output : model::model_name(job.checkpoint.dir) + "-{type}.gguf";
  for (const mix::FileType* type : request.file_types) {
    plan_result(job, options, request, text, *type, pattern, inputs);
    const ResultFile& result = job.results.back();
    if (job.importance) {
      require_importance(*job.importance, job.tensors, *result.file_type, result.contents.choices);
    }
    warn_of_choices(job, result, observer);
  }
  job.plan.tool = "lq-quant-gguf";
  add_header_units(job);
  add_piece_units(job);
  for (const tensor::TensorInfo& tensor : job.checkpoint.weights->tensors()) {
    job.plan.read_bytes += tensor.n_bytes;
  }
  std::vector<const mix::GgufFile*> files;
  for (const ResultFile& result : job.results) files.push_back(&result.contents);
  const auto memory_with = [&](int threads) {
    return mix::gguf_working_memory(job.tensors, files,
                                    job.results[0].parts[0].layout.header.size(), threads);
  };
  job.plan.memory_bytes = memory_with(n_threads);
  job.plan.memory_advice = "free memory, or allow more with --memory";
  if (n_threads > 1) {
    job.plan.memory_advice +=
        fmt::format(", or use fewer threads: -j 1 needs {}", base::format_bytes(memory_with(1)));
  }
  return job;
}

}  // namespace lq::quant_gguf

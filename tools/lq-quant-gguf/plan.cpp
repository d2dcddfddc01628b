#include "tools/lq-quant-gguf/plan.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <set>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/calibration/importance_facts.h"
#include "common/io/input_file.h"
#include "common/io/sha256.h"

namespace lq::quant_gguf {
namespace {

namespace fs = std::filesystem;

constexpr int kFormatVersion = 1;
constexpr std::size_t kShownProblems = 10;

/// Lines of a message: the first few problems and how many more there are.
std::string shown(const std::vector<std::string>& problems) {
  const std::size_t n = std::min(problems.size(), kShownProblems);
  std::string text = fmt::format(
      "{}", fmt::join(problems.begin(), problems.begin() + static_cast<std::ptrdiff_t>(n), "; "));
  if (problems.size() > n) text += fmt::format("; and {} more", problems.size() - n);
  return text;
}

bool takes_importance(const model::GgufTensor& tensor) {
  return tensor.is_matrix && tensor.role != model::TensorRole::kTokenEmbedding;
}

/// Checks every entry against its tensor and puts the floor under it.
calibration::ImportanceMatrix read_fitting_importance(const std::string& path,
                                                      const std::vector<model::GgufTensor>& tensors,
                                                      stage::StageObserver& observer) {
  calibration::ImportanceMatrix matrix = calibration::read_importance(path);
  std::vector<std::string> misfits, missing;
  std::size_t n_raised = 0, n_columns = 0;
  for (const model::GgufTensor& tensor : tensors) {
    if (!tensor.is_matrix) continue;
    const auto found = matrix.entries.find(tensor.name);
    if (found == matrix.entries.end()) {
      if (takes_importance(tensor) && tensor.role != model::TensorRole::kOutput) {
        missing.push_back(tensor.name);
      }
      continue;
    }
    std::vector<float>& values = found->second.values;
    if (values.size() == tensor.row_elems()) {
      n_raised += calibration::floor_importance(values);
      n_columns += values.size();
    } else if (takes_importance(tensor)) {
      misfits.push_back(fmt::format("{} has {} columns, its entry {}", tensor.name,
                                    tensor.row_elems(), values.size()));
    } else {
      matrix.entries.erase(found);  // llama.cpp ignores an embedding entry of another length
    }
  }
  if (!misfits.empty()) {
    throw base::ValidationError(
        fmt::format("cannot use the importance matrix {}", base::escape_controls(path)),
        fmt::format("it does not fit this model: {}", shown(misfits)),
        "use an importance matrix that was made from this model");
  }
  if (!missing.empty()) {
    observer.warning(
        fmt::format(
            "{} of the weights have no entry in the importance matrix and are quantized without",
            missing.size()),
        shown(missing));
  }
  if (n_raised > 0) {
    observer.warning(
        fmt::format("{} of {} importance values were raised to a floor", n_raised, n_columns),
        "their columns were silent during calibration; taken literally they would erase weights");
  }
  return matrix;
}

/// Q2_K in a Q2_K_S file needs importance, as llama.cpp has it.
void require_importance(const Job& job, const ResultFile& result) {
  if (result.file_type->name != "Q2_K_S") return;
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < job.tensors.size(); ++i) {
    const model::TensorRole role = job.tensors[i].role;
    if (result.contents.choices[i].type == codec::QuantType::kQ2K &&
        role != model::TensorRole::kOutput && role != model::TensorRole::kTokenEmbedding &&
        job.importance_of(i) == nullptr) {
      missing.push_back(job.tensors[i].name);
    }
  }
  if (!missing.empty()) {
    throw base::ValidationError(
        "cannot make Q2_K_S",
        fmt::format("the importance matrix has no entry for {} of its weights: {}", missing.size(),
                    shown(missing)),
        "calibrate again with more text, or use -t Q2_K");
  }
}

void warn_of_choices(const Job& job, const ResultFile& result, stage::StageObserver& observer) {
  std::size_t n_fallback = 0;
  std::string example;
  for (std::size_t i = 0; i < job.tensors.size(); ++i) {
    const mix::TensorChoice& choice = result.contents.choices[i];
    if (!choice.fallback_from) continue;
    ++n_fallback;
    if (example.empty()) {
      example =
          fmt::format("{} has rows of {}, so it becomes {} in place of {}", job.tensors[i].name,
                      job.tensors[i].row_elems(), codec::codec(choice.type).name,
                      codec::codec(*choice.fallback_from).name);
    }
  }
  if (n_fallback > 0) {
    observer.warning(fmt::format("{}: {} tensors take a type whose blocks fit their rows",
                                 result.file_type->name, n_fallback),
                     example);
  }
  const codec::QuantType base = result.file_type->base;
  if (!job.importance && (base == codec::QuantType::kQ2K || base == codec::QuantType::kQ3K)) {
    observer.warning(
        fmt::format("{} without an importance matrix loses much quality", result.file_type->name),
        "at 2 and 3 bits the encoder must know which columns matter: --imatrix FILE "
        "(llama.cpp's llama-imatrix makes one)");
  }
}

nlohmann::ordered_json normalised_options(const Options& options, const Request& request,
                                          const mix::FileType& type) {
  nlohmann::ordered_json json;
  json["type"] = type.name;
  json["imatrix"] = !options.importance_path.empty();
  json["tensor-type"] = options.tensor_types;
  json["output-type"] =
      request.overrides.output ? codec::codec(*request.overrides.output).name : "";
  json["embedding-type"] =
      request.overrides.embedding ? codec::codec(*request.overrides.embedding).name : "";
  json["pure"] = options.pure;
  json["split-max-size"] = options.split_max_bytes;
  json["pre"] = options.pre_tokenizer;
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

std::vector<stage::Input> describe_inputs(const Job& job, const Options& options) {
  std::vector<stage::Input> inputs = {model::describe_input(job.checkpoint)};
  if (!options.importance_path.empty()) {
    const io::InputFile file(options.importance_path);
    const fs::path path = fs::absolute(file.path());
    io::Sha256 hash;
    hash.update(io::read_text_file(path));
    inputs.push_back(
        {"imatrix", path, {{path, file.size(), file.mtime_ns(), ""}}, hash.hex(), nullptr});
  }
  return inputs;
}

/// Whole heads stay together, so that the rows of a piece come from the same rows of the source.
std::uint64_t rows_per_piece(const model::GgufTensor& tensor) {
  const std::uint64_t rows = std::max<std::uint64_t>(1, mix::kPieceElems / tensor.row_elems());
  if (!tensor.is_matrix || tensor.interleave_heads == 0) return rows;
  const std::uint64_t head_rows =
      tensor.n_rows() / static_cast<std::uint64_t>(tensor.interleave_heads);
  return std::max<std::uint64_t>(1, rows / head_rows) * head_rows;
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
    const std::uint64_t step = rows_per_piece(tensor);
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

void plan_result(Job& job, const Options& options, const Request& request,
                 const gguf::Metadata& metadata, const mix::FileType& type,
                 const std::string& pattern, const std::vector<stage::Input>& inputs) {
  ResultFile result;
  result.file_type = &type;
  std::optional<mix::ImportanceFacts> facts;
  if (job.importance) {
    facts = calibration::importance_facts(*job.importance, options.importance_path);
  }
  result.contents = mix::plan_gguf_file(metadata, job.tensors, job.checkpoint.config, type, facts,
                                        request.overrides);
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
  plan.options = normalised_options(options, request, type);
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
  const gguf::Metadata metadata = model::gguf_metadata(
      job.checkpoint,
      options.pre_tokenizer.empty() ? std::nullopt : std::optional(options.pre_tokenizer));
  if (!options.importance_path.empty()) {
    job.importance = read_fitting_importance(options.importance_path, job.tensors, observer);
  }
  const std::string pattern =
      !output.empty() ? output : model::model_name(job.checkpoint.dir) + "-{type}.gguf";
  const std::vector<stage::Input> inputs = describe_inputs(job, options);
  for (const mix::FileType* type : request.file_types) {
    plan_result(job, options, request, metadata, *type, pattern, inputs);
    require_importance(job, job.results.back());
    warn_of_choices(job, job.results.back(), observer);
  }
  job.plan.tool = "lq-quant-gguf";
  add_header_units(job);
  add_piece_units(job);
  for (const tensor::TensorInfo& tensor : job.checkpoint.weights->tensors()) {
    job.plan.read_bytes += tensor.n_bytes;
  }
  std::vector<const mix::GgufFile*> files;
  for (const ResultFile& result : job.results) files.push_back(&result.contents);
  job.plan.memory_bytes = mix::gguf_working_memory(
      job.tensors, files, job.results[0].parts[0].layout.header.size(), n_threads);
  job.plan.memory_advice = "use fewer threads: -j 1";
  return job;
}

}  // namespace lq::quant_gguf

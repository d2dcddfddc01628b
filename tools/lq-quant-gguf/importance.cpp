#include "tools/lq-quant-gguf/importance.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <vector>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/calibration/importance_sums.h"
#include "common/io/digest.h"
#include "common/io/input_file.h"

namespace lq::quant_gguf {
namespace {

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

}  // namespace

std::optional<ImportanceRead> read_importance(const Options& options,
                                              const model::Checkpoint& checkpoint,
                                              const std::string& model_id) {
  if (!options.importance_path.empty()) {
    const io::InputFile file(options.importance_path);
    const std::filesystem::path path = std::filesystem::absolute(file.path());
    const std::string content = io::read_text_file(path);
    return ImportanceRead{calibration::read_importance(options.importance_path),
                          {"imatrix",
                           path,
                           {{path, file.size(), file.mtime_ns(), ""}},
                           io::sha256_hex(std::as_bytes(std::span(content))),
                           nullptr}};
  }
  if (options.calibration_dir.empty()) return std::nullopt;
  const calibration::CalibrationDirectory calibration(options.calibration_dir);
  calibration.require_model(model_id, checkpoint.config);
  stage::Input input = calibration.describe_input();  // before it is read
  return ImportanceRead{
      calibration::importance_of(calibration::importance_sums(calibration, *checkpoint.architecture,
                                                              checkpoint.config.tied_embeddings)),
      std::move(input)};
}

void fit_importance(calibration::ImportanceMatrix& matrix, const std::string& source,
                    std::span<const model::GgufTensor> tensors, stage::StageObserver& observer) {
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
    std::string why = "it does not fit this model: " + shown(misfits);
    if (!missing.empty()) why += "; it has no entry for " + shown(missing);
    throw base::ValidationError(
        fmt::format("cannot use the importance matrix {}", base::escape_controls(source)), why,
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
}

void require_importance(const calibration::ImportanceMatrix& matrix,
                        std::span<const model::GgufTensor> tensors, const mix::FileType& file_type,
                        std::span<const mix::TensorChoice> choices) {
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (mix::needs_importance(file_type, tensors[i], choices[i]) &&
        matrix.find(tensors[i].name) == nullptr) {
      missing.push_back(tensors[i].name);
    }
  }
  if (missing.empty()) return;
  throw base::ValidationError(
      fmt::format("cannot make {}", file_type.name),
      fmt::format("the importance matrix has no entry for {} of its weights: {}", missing.size(),
                  shown(missing)),
      fmt::format("calibrate again with more text, or use -t {}",
                  codec::codec(file_type.base).name));
}

}  // namespace lq::quant_gguf

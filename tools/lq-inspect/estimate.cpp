#include "tools/lq-inspect/estimate.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <set>
#include <sstream>

#include "common/base/checked.h"
#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/calibration/importance_facts.h"
#include "common/mix/gguf_file.h"
#include "common/mix/group_format.h"
#include "common/parallel/memory.h"

namespace lq::inspect {
namespace {

/// What all estimates of one model share.
struct Source {
  const model::Checkpoint& checkpoint;
  std::vector<model::GgufTensor> tensors;
  gguf::Metadata metadata;
  std::optional<calibration::ImportanceFacts> importance;
  std::uint64_t bytes = 0;
  int n_threads = 1;
};

std::vector<std::string> words_of(const std::string& list) {
  std::vector<std::string> words;
  std::istringstream stream(list);
  for (std::string word; std::getline(stream, word, ',');) words.push_back(word);
  return words;
}

void finish(const Source& source, std::uint64_t tensor_bits_of, Estimate& row) {
  row.reduction =
      100.0 * (1.0 - static_cast<double>(row.bytes) / static_cast<double>(source.bytes));
  row.bits_per_weight = 8.0 * static_cast<double>(row.bytes) / static_cast<double>(tensor_bits_of);
}

Estimate estimate_gguf(const Source& source, const mix::FileType& type) {
  const mix::GgufFile file = mix::plan_gguf_file(
      source.metadata, source.tensors, source.checkpoint.config, type, source.importance, {});
  const gguf::Layout layout = gguf::lay_out(file.metadata, file.tensors);
  const mix::GgufFile* const files[] = {&file};
  Estimate row{.type = std::string(type.name), .tool = "lq-quant-gguf", .bytes = layout.file_bytes};
  row.memory =
      mix::gguf_working_memory(source.tensors, files, layout.header.size(), source.n_threads);
  row.disk = row.bytes;
  if (type.base_needs_importance && !source.importance) row.refused = "needs an importance matrix";
  finish(source, source.checkpoint.n_parameters(), row);
  return row;
}

/// One layer's weights in float32 twice (source and result), its Gram matrices, and the factor of
/// the largest. What passes 64 bits counts as all of them.
std::uint64_t group_memory(const Source& source) {
  const model::ModelConfig& config = source.checkpoint.config;
  base::Checked layer_elems = 0;
  for (const model::GgufTensor& tensor : source.tensors) {
    if (tensor.layer == 0) layer_elems += tensor.row_elems() * tensor.n_rows();
  }
  const auto square = [](std::int64_t n) {
    return base::Checked(static_cast<std::uint64_t>(n)) * static_cast<std::uint64_t>(n);
  };
  const base::Checked grams =
      square(config.hidden) * 2 + square(config.n_heads * config.head_dim) + square(config.ffn);
  const base::Checked memory = layer_elems * (2 * sizeof(float)) + grams * sizeof(float) +
                               square(std::max(config.hidden, config.ffn)) * sizeof(double);
  return memory.value().value_or(std::numeric_limits<std::uint64_t>::max());
}

Estimate estimate_groups(const Source& source, const mix::GroupFormat& format) {
  const mix::GroupFileSizes sizes =
      mix::group_file_sizes(*source.checkpoint.weights, source.tensors, format);
  Estimate row{.type = format.name(),
               .tool = format.awq ? "lq-quant-awq" : "lq-quant-gptq",
               .bytes = sizes.file_bytes};
  row.memory = group_memory(source);
  row.disk = row.bytes;
  row.refused = sizes.refused;
  finish(source, source.checkpoint.n_parameters(), row);
  return row;
}

std::vector<std::string> all_types() {
  std::vector<std::string> names;
  for (const mix::FileType& type : mix::file_types()) names.emplace_back(type.name);
  for (const int group : {128, 64, 32}) names.push_back(mix::GroupFormat{true, 4, group}.name());
  for (const int bits : {8, 4, 3, 2}) names.push_back(mix::GroupFormat{false, bits, 128}.name());
  return names;
}

bool begins_like_a_group_format(const std::string& word) {
  const std::string lower = base::to_lower(word);
  return lower.starts_with("awq") || lower.starts_with("gptq");
}

}  // namespace

bool names_types(const std::string& list) {
  const std::vector<std::string> words = words_of(list);
  return std::ranges::any_of(words, [](const std::string& word) {
    return mix::known_file_type(word) != nullptr || mix::parse_group_format(word).has_value();
  });
}

std::vector<Estimate> estimate_sizes(const model::Checkpoint& checkpoint, const std::string& types,
                                     const std::string& importance_path, int n_threads) {
  Source source{.checkpoint = checkpoint,
                .tensors = model::gguf_tensors(checkpoint),
                .metadata = model::gguf_metadata(checkpoint, std::nullopt),
                .importance = std::nullopt,
                .n_threads = n_threads};
  if (!importance_path.empty()) {
    source.importance =
        calibration::importance_facts(calibration::read_importance(importance_path));
  }
  for (const tensor::TensorInfo& tensor : checkpoint.weights->tensors()) {
    source.bytes += tensor.n_bytes;
  }
  std::vector<Estimate> rows;
  for (const std::string& word : types.empty() ? all_types() : words_of(types)) {
    if (const auto format = mix::parse_group_format(word)) {
      rows.push_back(estimate_groups(source, *format));
    } else if (begins_like_a_group_format(word)) {
      throw base::UsageError(
          fmt::format("unknown type '{}'", base::escape_controls(word)),
          "AWQ has 4 bits, GPTQ 2, 3, 4 or 8; groups have 32, 64 or 128 columns, for GPTQ also -1 "
          "(the whole row)",
          "write for example AWQ-g64, GPTQ-g128 or GPTQ-8bit-g32");
    } else {
      rows.push_back(estimate_gguf(source, mix::find_file_type(word)));
    }
  }
  return rows;
}

Machine this_machine(int n_threads) {
  std::error_code ignored;
  const std::filesystem::space_info space = std::filesystem::space(".", ignored);
  return {.memory = parallel::available_memory(),
          .disk = ignored ? 0 : static_cast<std::uint64_t>(space.available),
          .threads = n_threads};
}

}  // namespace lq::inspect

#include "common/soundness/stored_model.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <unordered_set>
#include <utility>

#include "common/base/text.h"
#include "common/model/tensor_map.h"

namespace lq::soundness {
namespace {

using model::TensorRole;
using tensor::DType;
using tensor::TensorInfo;

constexpr std::string_view kWeight = ".weight";
constexpr const char* kConfig = "config";
constexpr const char* kTensors = "tensors";

/// The tensors that stand for a linear, by what they are.
struct Parts {
  std::string_view codes, scales, zeros, group_index;
};
constexpr Parts kWords = {"qweight", "scales", "qzeros", "g_idx"};
constexpr Parts kPacked = {"weight_packed", "weight_scale", "weight_zero_point", "weight_g_idx"};
// Of all formats: what none of them claims belongs to no linear.
constexpr std::array kSuffixes = {".qweight",      ".scales",           ".qzeros",
                                  ".g_idx",        ".weight_packed",    ".weight_scale",
                                  ".weight_shape", ".weight_zero_point"};

Parts parts_of(const hf::Format& format) {
  return format.name == "compressed-tensors" ? kPacked : kWords;
}

std::string shape_text(const tensor::Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

class StoredReader {
 public:
  StoredReader(const model::Checkpoint& checkpoint, const Declaration& declaration, Report& report)
      : checkpoint_(checkpoint), declaration_(declaration), report_(report) {}

  StoredModel read() {
    out_.facts.scheme = declaration_.common;
    out_.facts.desc_act = declaration_.desc_act;
    const model::TensorMap map = model::map_tensors(checkpoint_);
    for (const model::MappedTensor& tensor : map.used) take(tensor);
    if (map.output_is_tied && !checkpoint_.config.tied_embeddings) take_output();
    take_left_over(map);
    compare_joined();
    compare_float_type();
    return std::move(out_);
  }

 private:
  const TensorInfo* find(const std::string& stem, std::string_view suffix) {
    const TensorInfo* const found = checkpoint_.weights->find(fmt::format("{}.{}", stem, suffix));
    if (found != nullptr) claimed_.insert(found);
    return found;
  }

  void take(const model::MappedTensor& tensor) {
    const bool is_linear = tensor.shape.size() == 2 && !tensor.is_bias &&
                           tensor.row->role != TensorRole::kTokenEmbedding;
    if (!is_linear) return take_float(tensor.hf, tensor.shape, tensor.found);
    hf::Module module{tensor.hf.substr(0, tensor.hf.size() - kWeight.size()),
                      tensor.row->role,
                      tensor.layer,
                      static_cast<std::size_t>(tensor.shape[0]),
                      static_cast<std::size_t>(tensor.shape[1]),
                      {},
                      {}};
    take_linear(std::move(module), tensor.found, tensor.shape);
  }

  void take_output() {
    for (const model::TensorRow& row : checkpoint_.architecture->tensors) {
      if (row.role != TensorRole::kOutput) continue;
      model::MappedTensor tensor{&row, -1, false, std::string(row.hf) + std::string(kWeight), {}};
      tensor.shape = {extent_of(row.rows, checkpoint_.config),
                      extent_of(row.columns, checkpoint_.config)};
      take(tensor);
    }
  }

  void take_float(const std::string& name, const tensor::Shape& shape, const TensorInfo* found) {
    if (found == nullptr) {
      report_.fault(kTensors, name, "a tensor is missing",
                    fmt::format("the model needs it, of shape {}", shape_text(shape)),
                    kDirectoryRuntimes);
      return;
    }
    if (found->shape != shape) {
      report_.fault(kTensors, name, "a tensor has another shape than config.json implies",
                    fmt::format("it has {}, not {}", shape_text(found->shape), shape_text(shape)),
                    kDirectoryRuntimes);
      return;
    }
    if (!tensor::dtype_row(found->dtype).widens) {
      report_.fault(kTensors, name, "a float tensor is of a type without real numbers",
                    fmt::format("it is {}", tensor::dtype_row(found->dtype).name),
                    kDirectoryRuntimes);
      return;
    }
    out_.floats.push_back(found);
  }

  void take_linear(hf::Module module, const TensorInfo* plain, const tensor::Shape& shape) {
    const bool is_output = module.role == TensorRole::kOutput;
    const bool has_words = find(module.name, kWords.codes) != nullptr;
    const bool has_packed = find(module.name, kPacked.codes) != nullptr;
    if (declaration_.format == nullptr || (!has_words && !has_packed)) {
      if (plain == nullptr && has_words + has_packed > 0) {
        report_.fault(kConfig, module.name,
                      "weights are quantized, and config.json does not say so",
                      "it has no quantization_config that is known", kDirectoryRuntimes);
      } else {
        take_float(module.name + std::string(kWeight), shape, plain);
        if (declaration_.format != nullptr && plain != nullptr) compare_float(module, is_output);
      }
      out_.facts.modules.push_back(std::move(module));
      return;
    }
    if (plain != nullptr) {
      report_.fault(kTensors, plain->name, "a float matrix stands beside its quantized form",
                    "runtimes do not expect both");
      out_.floats.push_back(plain);
    }
    const Parts parts = parts_of(*declaration_.format);
    if (has_packed != (parts.codes == kPacked.codes)) {
      report_.fault(
          kConfig, module.name,
          fmt::format("quantization_config says {}, and the tensors are of another format",
                      declaration_.format->name),
          fmt::format("there is no {}", parts.codes), kDirectoryRuntimes);
      out_.facts.modules.push_back(std::move(module));
      return;
    }
    const std::optional<hf::Scheme> declared = declaration_.scheme_of(module.name, is_output);
    if (!declared) report_undeclared(module, is_output);
    module.scheme = declared.value_or(declaration_.common);
    take_quantized(module);
    out_.facts.modules.push_back(std::move(module));
  }

  void report_undeclared(const hf::Module& module, bool is_output) {
    const SchemeRule* const rule = declaration_.rule_of(module.name);
    if (rule != nullptr && !rule->scheme) {
      const bool is_part = module.name != rule->text;
      report_.fault(
          kConfig, module.name,
          fmt::format("`{}` of quantization_config says that a quantized linear is float",
                      base::escape_controls(rule->text)),
          is_part ? "it is looked for in parts of names, and hits this one too" : "it names it",
          kVllm);
      return;
    }
    const char* const what =
        "the output matrix is quantized, and quantization_config does not say so";
    if (is_output && rule != nullptr) {
      report_.remark(kConfig, module.name, what,
                     "vLLM knows it as no Linear, and refuses the model");
      report_.refusal(kVllm, what);
    } else if (is_output) {
      report_.fault(kConfig, module.name, what, "runtimes look for a float matrix", kVllm);
    }
  }

  void compare_float(const hf::Module& module, bool is_output) {
    if (!declaration_.scheme_of(module.name, is_output)) return;
    const std::string what = "a linear is float, and quantization_config does not say so";
    if (is_output || declaration_.floats_need_a_rule) {
      report_.fault(kConfig, module.name, what, "runtimes look for its codes", kDirectoryRuntimes);
      return;
    }
    report_.remark(kConfig, module.name, what, "some runtimes find that out by themselves");
    if (declaration_.format->name == "awq") {
      report_.refusal(kTransformers,
                      fmt::format("it needs {} in modules_to_not_convert", module.name));
    }
  }

  void take_quantized(const hf::Module& module) {
    const hf::Format& format = *declaration_.format;
    const Parts parts = parts_of(format);
    QuantizedLinear linear{module};
    linear.codes = find(module.name, parts.codes);
    linear.scales = find(module.name, parts.scales);
    linear.zeros = find(module.name, parts.zeros);
    linear.group_index = find(module.name, parts.group_index);
    const bool fits = compare_words(linear, find(module.name, "weight_shape"));
    if (linear.zeros == nullptr && !module.scheme->symmetric) {
      report_.fault(kTensors, module.name, "an asymmetric grid has no zero points",
                    fmt::format("there is no {}", parts.zeros), kDirectoryRuntimes);
    } else if (linear.zeros != nullptr && format.name == "compressed-tensors" &&
               module.scheme->symmetric) {
      report_.fault(kConfig, module.name, "there are zero points of a grid declared symmetric",
                    "runtimes do not expect the tensor", kDirectoryRuntimes);
    }
    if (fits) out_.linears.push_back(std::move(linear));
  }

  /// The shapes and types of the tensors that are there, and of those that have to be.
  bool compare_words(const QuantizedLinear& linear, const TensorInfo* stated_shape) {
    const hf::Module& module = linear.module;
    bool fits = true;
    for (const safetensors::TensorSpec& spec :
         declaration_.format->tensors(module, tensor::DType::kF16)) {
      const TensorInfo* const found = checkpoint_.weights->find(spec.name);
      if (found == nullptr) {
        const bool is_optional = spec.name.ends_with("zeros") ||
                                 spec.name.ends_with("zero_point") || spec.name.ends_with("g_idx");
        if (is_optional) continue;
        report_.fault(kTensors, spec.name, "a tensor of a quantized linear is missing",
                      "nothing can be computed without it", kDirectoryRuntimes);
        fits = false;
        continue;
      }
      if (found->shape != spec.shape) {
        report_misfit(*found, spec.shape, module);
        fits = false;
      }
      const bool is_scale = found == linear.scales;
      const bool right_type =
          is_scale ? tensor::dtype_row(found->dtype).widens : found->dtype == spec.dtype;
      if (right_type) continue;
      report_.fault(kTensors, spec.name, "a tensor of a quantized linear is of another type",
                    fmt::format("it is {}, not {}", tensor::dtype_row(found->dtype).name,
                                is_scale ? "a float" : tensor::dtype_row(spec.dtype).name),
                    kDirectoryRuntimes);
      fits = false;
    }
    return fits && (stated_shape == nullptr || compare_stated_shape(*stated_shape, module));
  }

  void report_misfit(const TensorInfo& found, const tensor::Shape& shape,
                     const hf::Module& module) {
    const std::optional<hf::Scheme> by_shape =
        declaration_.format->scheme_of(*checkpoint_.weights, module.name, module.columns);
    const bool of_scheme =
        by_shape && (by_shape->bits != module.scheme->bits ||
                     by_shape->n_groups(module.columns) != module.scheme->n_groups(module.columns));
    std::string why = fmt::format("it has {}, not {}", shape_text(found.shape), shape_text(shape));
    if (of_scheme) {
      hf::Scheme stored = *by_shape;
      stored.symmetric = module.scheme->symmetric;
      report_.fault(kConfig, found.name,
                    fmt::format("the tensors are of {}, and quantization_config says {}",
                                hf::describe(stored), hf::describe(module.scheme)),
                    std::move(why), kDirectoryRuntimes);
    } else {
      report_.fault(kTensors, found.name,
                    "a tensor of a quantized linear has another shape than config.json implies",
                    std::move(why), kDirectoryRuntimes);
    }
  }

  bool compare_stated_shape(const TensorInfo& tensor, const hf::Module& module) {
    std::array<std::int64_t, 2> stated = {};
    if (tensor.n_bytes != sizeof(stated)) return true;  // reported by its own shape
    checkpoint_.weights->read(tensor, 0, std::as_writable_bytes(std::span(stated)));
    if (std::cmp_equal(stated[0], module.rows) && std::cmp_equal(stated[1], module.columns)) {
      return true;
    }
    report_.fault(kTensors, tensor.name, "the stated shape of a linear is not that of the model",
                  fmt::format("it says [{}, {}], not [{}, {}]", stated[0], stated[1], module.rows,
                              module.columns),
                  kDirectoryRuntimes);
    return false;
  }

  void take_left_over(const model::TensorMap& map) {
    for (const TensorInfo* tensor : map.misplaced_biases) {
      report_.remark(kTensors, tensor->name, "a bias has no place in models of this kind",
                     "runtimes leave it out, or refuse it");
      claimed_.insert(tensor);
    }
    for (const TensorInfo* tensor : map.left_over) {
      if (claimed_.contains(tensor)) continue;
      const std::string& name = tensor->name;
      const bool of_words = std::ranges::any_of(
          kSuffixes, [&](std::string_view suffix) { return name.ends_with(suffix); });
      if (of_words) {
        report_.fault(kTensors, name, "a tensor belongs to no linear of the model",
                      "models of this kind have none of that name", kVllm);
      } else if (name.ends_with("rotary_emb.inv_freq") ||
                 (name == "lm_head.weight" && map.output_is_tied)) {
        continue;  // what others write too, and no reader uses
      } else {
        report_.remark(kTensors, name, "a tensor is none that models of this kind have",
                       "runtimes leave it out, or refuse it");
      }
    }
  }

  void compare_joined() {
    if (declaration_.format == nullptr) return;
    std::map<std::string, const hf::Module*> first;
    for (const hf::Module& module : out_.facts.modules) {
      const std::string joined = hf::fused_name(module.name);
      if (joined.empty()) continue;
      const hf::Module* const other = first.emplace(joined, &module).first->second;
      if (other->scheme == module.scheme) continue;
      report_.fault(kConfig, joined, "linears that runtimes join are quantized in different ways",
                    fmt::format("{} is {}, {} is {}", other->name, hf::describe(other->scheme),
                                module.name, hf::describe(module.scheme)),
                    kVllm);
    }
  }

  void compare_float_type() {
    constexpr std::array<std::pair<std::string_view, DType>, 3> kNames = {
        {{"float16", DType::kF16}, {"bfloat16", DType::kBF16}, {"float32", DType::kF32}}};
    const std::string& stated = checkpoint_.config.torch_dtype;
    const auto* const row =
        std::ranges::find(kNames, stated, &std::pair<std::string_view, DType>::first);
    if (row == kNames.end() || out_.floats.empty()) return;
    if (declaration_.format != nullptr && row->second == DType::kF32) {
      report_.refusal(kVllm, "it takes no torch_dtype of float32 for quantized weights");
    }
    const auto same = std::ranges::count(out_.floats, row->second, &TensorInfo::dtype);
    if (2 * same >= std::ssize(out_.floats)) return;
    report_.remark(
        kConfig, out_.floats.front()->name,
        fmt::format("torch_dtype of config.json is {}, and most float tensors are not", stated),
        "runtimes convert scales and floats to the stated type");
  }

  const model::Checkpoint& checkpoint_;
  const Declaration& declaration_;
  Report& report_;
  StoredModel out_;
  std::unordered_set<const TensorInfo*> claimed_;
};

}  // namespace

StoredModel read_stored_model(const model::Checkpoint& checkpoint, const Declaration& declaration,
                              Report& report) {
  return StoredReader(checkpoint, declaration, report).read();
}

}  // namespace lq::soundness

#include "common/hf/runtimes.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>
#include <span>

#include "common/base/text.h"
#include "common/hf/module_rules.h"

namespace lq::hf {
namespace {

constexpr std::array kSizes = {1, 2, 4, 8, 16};
// What the kernels of vLLM take at least of rows and columns, on each device.
constexpr std::size_t kKernelUnit = 32;

/// A scheme of one module in its surroundings.
struct Use {
  const Module& module;
  const Scheme& scheme;
  const QuantizationFacts& facts;
};

struct Rule {
  std::string_view format;  // and those whose names begin so; empty: all
  bool (*hits)(const Use& use);
  std::string_view why;
};

bool is_asymmetric(const Use& use) { return !use.scheme.symmetric; }
bool is_below_4_bits(const Use& use) { return use.scheme.bits < 4; }
bool is_3_bits(const Use& use) { return use.scheme.bits == 3; }
bool is_not_4_bits(const Use& use) { return use.scheme.bits != 4; }
bool has_uncommon_groups(const Use& use) {
  constexpr std::array<std::size_t, 4> kCommon = {0, 32, 64, 128};
  return std::ranges::find(kCommon, use.scheme.group_size) == kCommon.end();
}
bool has_grouped_order(const Use& use) { return use.facts.desc_act && use.scheme.group_size != 0; }
bool has_odd_shape(const Use& use) {
  return use.module.rows % kKernelUnit != 0 || use.module.columns % kKernelUnit != 0;
}
bool is_asymmetric_beside_4_and_8_bits(const Use& use) {
  return !use.scheme.symmetric && use.scheme.bits != 4 && use.scheme.bits != 8;
}
bool is_output(const Use& use) { return use.module.role == model::TensorRole::kOutput; }
bool is_of_a_rule(const Use& use) { return use.scheme != use.facts.scheme; }
bool always(const Use& /*use*/) { return true; }

constexpr std::string_view kAsymmetric = "it refuses asymmetric grids in this format";
constexpr std::string_view kLowBits = "it refuses 2 and 3 bits in this format";
constexpr std::string_view kGroups =
    "its kernels take whole rows and groups of 32, 64 and 128 only";
constexpr std::string_view kOrder =
    "it no longer takes columns grouped by importance (desc_act with groups)";
constexpr std::string_view kShape = "its kernels take rows and columns in multiples of 32 only";

constexpr std::array kVllmCpu = {
    Rule{"gptq", is_asymmetric, kAsymmetric},
    Rule{"gptq", is_below_4_bits, kLowBits},
    Rule{"gptq", has_uncommon_groups, kGroups},
    Rule{"gptq", has_grouped_order, kOrder},
    Rule{"", is_not_4_bits, "its kernels for a CPU take 4 bits only"},
    Rule{"", has_odd_shape, kShape},
};

constexpr std::array kVllmGpu = {
    Rule{"gptq", is_asymmetric, kAsymmetric},
    Rule{"gptq", is_below_4_bits, kLowBits},
    Rule{"gptq", has_grouped_order, kOrder},
    Rule{"compressed-tensors", is_asymmetric_beside_4_and_8_bits,
         "it takes asymmetric grids of 4 and 8 bits only"},
    Rule{"", has_uncommon_groups, kGroups},
    Rule{"", has_odd_shape, kShape},
};

constexpr std::array kTransformers = {
    Rule{"gptq", is_output,
         "it does not read a quantized output matrix: it runs, and its text is wrong"},
    Rule{"gptq", is_of_a_rule,
         "it does not read the rules for modules of another scheme (dynamic)"},
    Rule{
        "compressed-tensors", is_3_bits,
        "its compressed-tensors library unpacks 3 bits from ten codes a word, not from one stream"},
};

/// What is to be known where a runtime loads the model.
struct Remark {
  std::string_view format;
  bool (*hits)(const Use& use);
  std::string_view text;
};

constexpr std::array kGpuRemarks = {
    Remark{"compressed-tensors", is_below_4_bits, "2 and 3 bits need its Humming kernels"},
};

constexpr std::array kTransformersRemarks = {
    Remark{"gptq", always, "through GPTQModel"},
    Remark{"awq", always, "through GPTQModel"},
    Remark{"compressed-tensors", always,
           "weights are unpacked to floats: no gain in speed or memory"},
};

struct Runtime {
  std::string_view name;
  std::span<const Rule> rules;
  std::span<const Remark> remarks;
  bool is_parallel;    // splits matrices over devices
  bool reads_dynamic;  // the rules of GPTQ for modules of their own
};

constexpr std::array kRuntimes = {
    Runtime{"vLLM on a CPU", kVllmCpu, {}, true, true},
    Runtime{"vLLM on a GPU", kVllmGpu, kGpuRemarks, true, true},
    Runtime{"transformers", kTransformers, kTransformersRemarks, false, false},
};

/// The text of the first row that hits a module, naming the module where not all are alike.
template <class Row>
std::string first_hit(std::span<const Row> rows, std::string_view Row::*text, const Format& format,
                      const QuantizationFacts& facts) {
  for (const Row& row : rows) {
    if (!format.name.starts_with(row.format)) continue;
    for (const Module& module : facts.modules) {
      if (!module.scheme || !row.hits({module, *module.scheme, facts})) continue;
      if (row.hits == always || module.scheme == facts.scheme) return std::string(row.*text);
      return fmt::format("{} ({}: {})", row.*text, base::escape_controls(module.name),
                         describe(module.scheme));
    }
  }
  return {};
}

/// Without the rules, modules that stay float are missed too.
std::string float_module_problem(const Runtime& runtime, const Format& format,
                                 const QuantizationFacts& facts) {
  if (runtime.reads_dynamic || !format.name.starts_with("gptq")) return {};
  for (const Module& module : facts.modules) {
    if (module.scheme || module.role == model::TensorRole::kOutput) continue;
    return fmt::format("it does not read the rules for modules that stay float (dynamic: {})",
                       base::escape_controls(module.name));
  }
  return {};
}

/// Matrices whose columns are dealt out to the devices; the rows of all others are.
bool splits_columns(model::TensorRole role) {
  return role == model::TensorRole::kAttnOutput || role == model::TensorRole::kFfnDown;
}

/// Why the model cannot be split over `size` devices; empty when it can.
std::string split_problem(const QuantizationFacts& facts, const model::ModelConfig& config,
                          int size) {
  if (config.n_heads % size != 0) {
    return fmt::format("{} heads of attention do not split evenly", config.n_heads);
  }
  if (config.n_kv_heads % size != 0 && size % config.n_kv_heads != 0) {
    return fmt::format("{} key-value heads do not split evenly", config.n_kv_heads);
  }
  const auto n = static_cast<std::size_t>(size);
  for (const Module& module : facts.modules) {
    if (!module.scheme || size == 1) continue;
    const bool columns = splits_columns(module.role);
    // Key-value heads are repeated where there are fewer of them than devices.
    const bool repeated =
        (module.role == model::TensorRole::kAttnK || module.role == model::TensorRole::kAttnV) &&
        config.n_kv_heads < size;
    const std::size_t parts = repeated ? static_cast<std::size_t>(config.n_kv_heads) : n;
    const std::size_t extent = columns ? module.columns : module.rows;
    const std::size_t group = module.scheme->group_size;
    if (columns && group != 0 && extent % (n * group) != 0) {
      return fmt::format("the {} columns of {} do not split into groups of {}", extent,
                         base::escape_controls(module.name), group);
    }
    if (extent % (parts * kKernelUnit) != 0) {
      return fmt::format("the {} {} of {} do not split into multiples of {}", extent,
                         columns ? "columns" : "rows", base::escape_controls(module.name),
                         kKernelUnit);
    }
  }
  return {};
}

}  // namespace

std::vector<Verdict> runtime_verdicts(const Format& format, const QuantizationFacts& facts,
                                      const model::ModelConfig& config) {
  std::vector<Verdict> verdicts;
  for (const Runtime& runtime : kRuntimes) {
    Verdict& verdict = verdicts.emplace_back();
    verdict.runtime = runtime.name;
    verdict.why = first_hit(runtime.rules, &Rule::why, format, facts);
    if (verdict.why.empty()) verdict.why = float_module_problem(runtime, format, facts);
    verdict.loads = verdict.why.empty();
    if (!verdict.loads) continue;
    verdict.why = first_hit(runtime.remarks, &Remark::text, format, facts);
    for (const int size :
         runtime.is_parallel ? std::span<const int>(kSizes) : std::span<const int>()) {
      const std::string problem = split_problem(facts, config, size);
      if (problem.empty()) {
        verdict.tp_sizes.push_back(size);
      } else if (verdict.tp_limit.empty()) {
        verdict.tp_limit = fmt::format("not {}: {}", size, problem);
      }
    }
  }
  return verdicts;
}

std::string sentence(const Verdict& verdict) {
  if (!verdict.loads) return fmt::format("{}: no, {}", verdict.runtime, verdict.why);
  std::string text = fmt::format("{}: loads", verdict.runtime);
  if (!verdict.why.empty()) text += fmt::format(" ({})", verdict.why);
  if (!verdict.tp_sizes.empty()) {
    text += fmt::format(", tensor-parallel {}", fmt::join(verdict.tp_sizes, ", "));
    if (!verdict.tp_limit.empty()) text += fmt::format(" ({})", verdict.tp_limit);
  }
  return text;
}

}  // namespace lq::hf

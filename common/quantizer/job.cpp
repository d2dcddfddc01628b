#include "common/quantizer/job.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <span>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/calibrate/calibrate.h"
#include "common/calibration/token_file.h"
#include "common/hf/companion_files.h"
#include "common/hf/module_choice.h"
#include "common/io/digest.h"
#include "common/io/input_file.h"
#include "common/linalg/numeric_class.h"
#include "common/model/sound_weights.h"
#include "common/quantizer/estimate.h"
#include "common/stage/paths.h"

namespace lq::quantizer {
namespace {

namespace fs = std::filesystem;
using tensor::DType;

constexpr int kFormatVersion = 1;

/// The files that are copied and that the model's own content id does not cover; empty without any.
std::optional<stage::Input> other_files(const model::Checkpoint& checkpoint) {
  stage::Input input{"files", checkpoint.dir, {}, "", nullptr};
  std::string contents;
  const auto covered = model::companion_names();
  for (const fs::path& name : hf::copied_companions(checkpoint.dir)) {
    if (std::ranges::find(covered, name.string()) != covered.end()) continue;
    const io::InputFile file(fs::absolute(checkpoint.dir / name));
    input.files.push_back({file.path(), file.size(), file.mtime_ns(), ""});
    const std::string text = io::read_text(file, file.size());
    contents +=
        fmt::format("{} {}\n", io::sha256_hex(std::as_bytes(std::span(text))), name.string());
  }
  if (input.files.empty()) return std::nullopt;
  input.content_id = io::sha256_hex(std::as_bytes(std::span(contents)));
  return input;
}

/// Builds the parts of a job in order.
class Planner {
 public:
  Planner(Run& run, const Request& request, bool prepares, stage::StageObserver& observer)
      : run_(run), observer_(observer), job_(std::make_unique<Job>()) {
    job_->checkpoint = model::open_checkpoint(run.model_dir);
    map_ = model::map_tensors(job_->checkpoint);
    model::require_sound(job_->checkpoint, map_);
    job_->weights.emplace(job_->checkpoint);
    job_->request = request;
    job_->prepares = prepares;
    job_->plan.results.emplace_back();
    inputs_ = {model::describe_input(job_->checkpoint)};
    if (auto files = other_files(job_->checkpoint)) inputs_.push_back(*std::move(files));
  }

  std::unique_ptr<Job> make() {
    warn_of_model();
    choose();
    if (run_.calibration.empty() && !request().data_free) calibrate();
    if (!run_.calibration.empty()) take_calibration();
    group_modules();
    job_->directory.checkpoint = &job_->checkpoint;
    stage::ResultPlan& result = job_->plan.results.front();
    result.kind = stage::ResultKind::kDirectory;
    result.path = output_path();
    result.tool = job_->plan.tool = request().tool;
    job_->plan.version = run_.version;
    job_->plan.commit = run_.commit;
    job_->plan.argv = run_.argv;
    result.format_version = kFormatVersion;
    result.inputs = inputs_;
    result.options = decisive_options();
    result.scratch = "scratch";
    lay_out();
    judge_runtimes();
    result.summary = summary();
    finish_plan();
    return std::move(job_);
  }

 private:
  const Request& request() const { return job_->request; }
  hf::QuantizationFacts& facts() { return job_->directory.facts; }

  void warn_of_model() {
    for (const std::string& warning : job_->checkpoint.weights->warnings()) {
      observer_.warning("the model is unusual", warning);
    }
    for (const model::TensorRow& row : job_->checkpoint.architecture->tensors) {
      const std::string name = model::expand_layer(row.hf, -1) + ".weight";
      if (map_.output_is_tied && row.presence == model::Presence::kUnlessTied &&
          job_->checkpoint.weights->find(name) != nullptr) {
        observer_.warning(name + " is left out",
                          "config.json says that the embeddings stand for it");
      }
    }
    if (map_.output_is_missing) {
      observer_.warning("the model has no output matrix",
                        "config.json does not say that the embeddings stand for it; runtimes "
                        "may refuse the result as they would the model");
    }
  }

  void choose() {
    hf::ModuleChoice choice = hf::choose_modules(job_->checkpoint, request().modules);
    for (const std::string& note : choice.notes) observer_.message(note);
    facts().modules = std::move(choice.modules);
    facts().scheme = choice.scheme;
    facts().desc_act = request().desc_act;
    facts().true_sequential = request().sequential;
    facts().damp_percent = request().damping.share;
    facts().quantizer = fmt::format("{}:{}", request().tool, run_.version);
    job_->directory.format = request().modules.format;
    job_->directory.float_dtype = float_dtype();
    if (request().max_shard_bytes) job_->directory.max_shard_bytes = *request().max_shard_bytes;
  }

  DType float_dtype() {
    if (request().float_dtype) return *request().float_dtype;
    for (const model::MappedTensor& tensor : map_.used) {
      if (tensor.row->role != model::TensorRole::kTokenEmbedding) continue;
      if (tensor.found->dtype == DType::kF16 || tensor.found->dtype == DType::kBF16) {
        return tensor.found->dtype;
      }
    }
    observer_.message(
        "float tensors become BF16: runtimes of quantized models take no F32; --dtype f16 keeps "
        "more digits of them");
    return DType::kBF16;
  }

  /// In a dry run there is no directory then.
  void calibrate() {
    observer_.message("no --calibration: calibrating first, with the texts of the program");
    const stage::StageReport report = lq::calibrate::calibrate(
        run_.model_dir, {}, "", run_.stage, {run_.version, run_.commit, run_.argv}, observer_);
    if (run_.stage.time_limit_seconds) *run_.stage.time_limit_seconds -= report.seconds;
    if (report.status.front() == stage::ResultStatus::kPlanned) return;
    run_.calibration = report.paths.front().string();
  }

  void take_calibration() {
    const std::string& dir = run_.calibration;
    job_->calibration.emplace(fs::absolute(dir).lexically_normal());
    const calibration::CalibrationDirectory& calibration = *job_->calibration;
    calibration.require_model(inputs_.front().content_id, job_->checkpoint.config);
    const std::string& stats = calibration.description().stats;
    if (stats != calibration::gram_kind_name(calibration::GramKind::kFull)) {
      throw base::ValidationError(
          fmt::format("cannot use the calibration directory {}", base::shown(dir)),
          fmt::format("it holds \"{}\" statistics, and the solver needs whole Gram matrices",
                      stats),
          "calibrate with --stats full, or round without data: --data-free");
    }
    if (request().sequential) {
      job_->windows =
          calibration::read_tokens(calibration.path() / calibration::kTokensFile,
                                   static_cast<std::size_t>(job_->checkpoint.config.vocab));
    }
    inputs_.push_back(calibration.describe_input());
  }

  /// What reads the same values is quantized together, or all of a layer.
  void group_modules() {
    std::vector<std::pair<const calibration::SiteRow*, Group>> groups;
    for (std::size_t m = 0; m < facts().modules.size(); ++m) {
      const hf::Module& module = facts().modules[m];
      const calibration::SiteRow* const site = calibration::site_of(module.role);
      const auto found = std::ranges::find_if(groups, [&](const auto& group) {
        return group.second.layer == module.layer &&
               (group.first == site || (job_->by_layer() && module.layer >= 0));
      });
      if (found != groups.end()) {
        found->second.modules.push_back(m);
        continue;
      }
      std::string name = "output head";
      if (module.layer >= 0) {
        name = fmt::format("layer {}", module.layer);
        if (!job_->by_layer()) name += fmt::format(" {}", site->name);
      }
      groups.push_back({site, {module.layer, std::move(name), {m}}});
    }
    // Sites as they come in a layer.
    std::ranges::stable_sort(groups, {}, [](const auto& group) {
      return std::pair(group.second.layer < 0 ? INT32_MAX : group.second.layer, group.first->site);
    });
    for (auto& [site, group] : groups) {
      std::ranges::stable_sort(group.modules, {}, [this](std::size_t m) {
        return calibration::site_of(facts().modules[m].role)->site;
      });
      job_->directory.groups.push_back(group.modules);
      job_->groups.push_back(std::move(group));
    }
  }

  fs::path output_path() const {
    const std::string name =
        run_.output.empty()
            ? fmt::format("{}-{}", model::model_name(job_->checkpoint.dir), request().default_label)
            : run_.output;
    return fs::absolute(name).lexically_normal();
  }

  /// Everything that decides the bytes and is not the content of an input.
  nlohmann::ordered_json decisive_options() {
    nlohmann::ordered_json json = {
        {"model", model::model_name(job_->checkpoint.dir)},
        {"format", job_->directory.format->name},
        {"bits", facts().scheme.bits},
        {"group_size", hf::stated_group_size(facts().scheme)},
        {"symmetric", facts().scheme.symmetric},
        {"negative_scales", facts().scheme.symmetric && request().negative_scales},
        {"desc_act", facts().desc_act},
        {"damp", request().damping.share},
        {"damp_kind", request().damping.per_channel ? "channel" : "mean"},
        {"method", job_->method()},
        {"nearest", request().nearest},
        {"sweeps", request().data_free || request().nearest ? 0 : request().sweeps},
        {"ranges", request().search_ranges ? "search" : "minmax"},
        {"float_type", tensor::dtype_row(job_->directory.float_dtype).name},
        {"max_shard_size", job_->directory.max_shard_bytes},
        {"quantizer", facts().quantizer},
    };
    if (!request().own_options.is_null()) json.update(request().own_options);
    nlohmann::ordered_json schemes = nlohmann::json::array();
    for (const hf::Module& module : facts().modules) {
      if (module.scheme == facts().scheme) continue;
      schemes.push_back(fmt::format("{}: {}", module.name, hf::describe(module.scheme)));
    }
    json["other_schemes"] = std::move(schemes);
    return json;
  }

  void lay_out() {
    std::vector<std::string> names;
    std::vector<double> costs;
    for (const Group& group : job_->groups) {
      names.push_back(group.name);
      costs.push_back(cost_of(*job_, group));
    }
    if (job_->prepares) take_vectors();
    job_->units.emplace(job_->directory);
    job_->units->add_to(job_->plan, names, costs);
    const auto& unknown = job_->units->layout().unknown_tensors;
    if (unknown.empty()) return;
    observer_.message(fmt::format("copied as they are, unknown to the {} family: {}",
                                  job_->checkpoint.architecture->name,
                                  base::escape_controls(model::listed(unknown, ", "))));
  }

  /// What is prepared with a layer is made with it: its norms and biases.
  void take_vectors() {
    for (const Group& group : job_->groups) {
      auto& floats = job_->directory.group_floats.emplace_back();
      if (group.layer < 0) continue;
      for (const model::MappedTensor& tensor : map_.used) {
        if (tensor.layer == group.layer && tensor.shape.size() == 1) floats.push_back(tensor.hf);
      }
    }
  }

  void judge_runtimes() {
    job_->verdicts =
        hf::runtime_verdicts(*job_->directory.format, facts(), job_->checkpoint.config);
    for (const hf::Verdict& verdict : job_->verdicts) {
      if (verdict.loads) {
        observer_.message(hf::sentence(verdict));
      } else {
        observer_.warning(fmt::format("{} does not load this", verdict.runtime), verdict.why);
      }
    }
  }

  nlohmann::ordered_json summary() {
    nlohmann::ordered_json runtimes = nlohmann::json::array();
    for (const hf::Verdict& verdict : job_->verdicts) {
      runtimes.push_back({{"name", verdict.runtime},
                          {"loads", verdict.loads},
                          {"why", verdict.why},
                          {"tensor_parallel", verdict.tp_sizes}});
    }
    std::size_t n_quantized = 0;
    for (const hf::Module& module : facts().modules) n_quantized += module.scheme ? 1 : 0;
    return {{"format", job_->directory.format->name},
            {"method", job_->method()},
            {"scheme", hf::describe(facts().scheme)},
            {"quantized_modules", n_quantized},
            {"float_modules", facts().modules.size() - n_quantized},
            {"parameters", job_->checkpoint.n_parameters()},
            {"weight_bytes", job_->units->layout().weight_bytes},
            {"unknown_tensors", job_->units->layout().unknown_tensors},
            {"runtimes", std::move(runtimes)},
            {"numeric_class", linalg::numeric_class()}};
  }

  void finish_plan() {
    stage::Plan& plan = job_->plan;
    plan.order = stage::Order::kSequential;
    plan.memory_bytes = needed_memory(*job_, run_.stage.n_threads);
    plan.memory_advice = memory_advice(*job_, run_.stage.n_threads);
    for (const tensor::TensorInfo& tensor : job_->checkpoint.weights->tensors()) {
      plan.read_bytes += tensor.n_bytes;
    }
    if (request().sequential) {
      // Hidden states of both models, before and behind a layer, and what a site leaves.
      const auto& config = job_->checkpoint.config;
      plan.results.front().scratch_bytes =
          sizeof(float) * job_->windows.ids.size() *
          static_cast<std::uint64_t>(6 * config.hidden + 2 * config.n_heads * config.head_dim);
    }
    if (request().data_free) {
      observer_.warning("weights are rounded without any calibration",
                        "what the model does with its inputs is not known, and much of its "
                        "quality is lost: use it for tests alone");
    }
  }

  Run& run_;
  stage::StageObserver& observer_;
  std::unique_ptr<Job> job_;
  model::TensorMap map_;
  std::vector<stage::Input> inputs_;
};

}  // namespace

linalg::Compute Job::compute() const {
  return calibration && calibration->description().compute == "f32" ? linalg::Compute::kF32
                                                                    : linalg::Compute::kBf16;
}

std::string Job::method() const {
  return request.data_free ? "rounded" : request.sequential ? "sequential" : "one pass";
}

std::unique_ptr<Job> make_job(Run& run, const Request& request, bool prepares,
                              stage::StageObserver& observer) {
  return Planner(run, request, prepares, observer).make();
}

}  // namespace lq::quantizer

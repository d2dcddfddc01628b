#include "common/calibrate/plan.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/calibrate/estimate.h"
#include "common/calibrate/windows.h"
#include "common/calibration/imported_stats.h"
#include "common/calibration/lane_file.h"
#include "common/calibration/token_file.h"
#include "common/io/digest.h"
#include "common/io/input_file.h"
#include "common/linalg/numeric_class.h"
#include "common/stage/paths.h"

namespace lq::calibrate {
namespace {

namespace fs = std::filesystem;

constexpr int kFormatVersion = 1;
constexpr std::size_t kSampleTokens = 1024;
const fs::path kScratch = "scratch";

/// Builds the parts of a job in order.
class Planner {
 public:
  Planner(const fs::path& model_dir, const Options& options, const stage::StageOptions& stage,
          stage::StageObserver& observer)
      : options_(options), stage_(stage), observer_(observer), job_(std::make_unique<Job>()) {
    job_->plan.results.emplace_back();
    job_->checkpoint = model::open_checkpoint(model_dir);
    job_->weights.emplace(job_->checkpoint);
    model_input_ = model::describe_input(job_->checkpoint);
  }

  std::unique_ptr<Job> make(const std::string& output) {
    take_data();
    describe();
    result().kind = stage::ResultKind::kDirectory;
    result().path = output_path(output);
    result().tool = job_->plan.tool = "lq-calibrate";
    result().format_version = kFormatVersion;
    result().inputs = {model_input_, data_input_};
    result().options = decisive_options();
    result().summary = {{"stats", job_->description.stats},
                        {"windows", job_->description.n_windows},
                        {"tokens", job_->description.n_tokens}};
    settle_run();
    add_texts();
    add_steps();
    add_lane_files();
    finish_plan();
    return std::move(job_);
  }

 private:
  stage::ResultPlan& result() { return job_->plan.results.front(); }
  const model::ModelConfig& config() const { return job_->checkpoint.config; }
  std::size_t n_layers() const { return static_cast<std::size_t>(config().n_layers); }
  /// The layers and, unless nothing is known of it, the head.
  std::size_t n_steps() const {
    return n_layers() + (job_->description.head_sites.empty() ? 0 : 1);
  }
  bool is_head(std::size_t step) const { return step == n_layers(); }
  std::size_t sample_elems() const {
    return job_->settings.sample_tokens * static_cast<std::size_t>(config().hidden);
  }

  void take_data() {
    if (!options_.from_imatrix.empty()) {
      take_importance();
      return;
    }
    WindowsRead read = read_windows(job_->checkpoint, options_, stage_, observer_);
    windows_ = std::move(read.windows);
    data_input_ = std::move(read.input);
    job_->description.data_name = std::move(read.name);
    job_->description.seq_len = read.seq_len;
    job_->lanes = calibration::deal_lanes(windows_.ids, windows_.offsets,
                                          static_cast<std::size_t>(options_.lanes));
  }

  void take_importance() {
    const fs::path path = fs::absolute(options_.from_imatrix);
    job_->importance = calibration::read_importance(path);
    const io::InputFile file(path);
    const std::string content = io::read_text_file(path);
    data_input_ = {"imatrix",
                   path,
                   {{path, file.size(), file.mtime_ns(), ""}},
                   io::sha256_hex(std::as_bytes(std::span(content))),
                   nullptr};
    for (std::size_t layer = 0; layer < n_layers(); ++layer) {
      calibration::imported_stats(*job_->importance, job_->checkpoint, layer);  // throws early
    }
    const auto& datasets = job_->importance->datasets;
    job_->description.data_name = datasets.empty() ? "imatrix" : datasets.front();
  }

  void describe() {
    calibration::Description& d = job_->description;
    d.model_id = model_input_.content_id;
    d.model_name = model::model_name(job_->checkpoint.dir);
    d.architecture = job_->checkpoint.architecture->name;
    d.n_layers = static_cast<int>(config().n_layers);
    d.layer_sites = calibration::site_shapes(config(), false);
    d.head_sites = calibration::site_shapes(config(), true);
    d.data_hash = data_input_.content_id;
    if (job_->importance) {
      d.stats = "imatrix";
      d.n_windows = job_->importance->n_chunks;
      if (!calibration::knows_head(*job_->importance, job_->checkpoint)) d.head_sites.clear();
      return;
    }
    d.n_windows = static_cast<std::int64_t>(windows_.n_windows());
    d.n_tokens = static_cast<std::int64_t>(windows_.ids.size());
    d.stats = options_.stats;
    d.compute = options_.compute;
    d.numeric_class = linalg::numeric_class();
    d.lanes = options_.lanes;
    const std::size_t sample =
        options_.gram_kind() == calibration::GramKind::kNone ? 0 : kSampleTokens;
    d.sample_tokens = static_cast<std::int64_t>(std::min(sample, job_->lanes.front().n_tokens()));
  }

  fs::path output_path(const std::string& output) const {
    const std::string name =
        output.empty() ? model::model_name(job_->checkpoint.dir) + "-calib" : output;
    return fs::absolute(name).lexically_normal();
  }

  /// calibration.json says all that decides the bytes.
  nlohmann::ordered_json decisive_options() const {
    nlohmann::ordered_json json = calibration::to_json(job_->description);
    json.erase("schema");
    json.erase("id");
    json.erase("sites");
    json["model"] =
        job_->description.model_name;  // its content is an input, as is that of the data
    json["data"].erase("ids_sha256");
    return json;
  }

  void settle_run() {
    calibration::CalibratorSettings& settings = job_->settings;
    settings.kind = job_->importance ? calibration::GramKind::kNone : options_.gram_kind();
    settings.compute = options_.compute_type();
    settings.sample_tokens = static_cast<std::size_t>(job_->description.sample_tokens);
    settings.n_threads = stage_.n_threads;
    settings.tag = job_->description.id = result().fingerprint();
    settings.scratch = stage::paths_of(result(), stage_.checkpoint_dir).part / kScratch;
    if (!job_->importance) result().scratch = kScratch;
  }

  /// A file, and the unit that makes it where this run does.
  void add_file(const fs::path& name, std::uint64_t size, std::uint64_t expected,
                std::optional<std::pair<stage::Unit, UnitTask>> unit) {
    const std::size_t file = result().files.size();
    result().files.push_back({name, size, unit ? expected : 0});
    if (!unit) return;
    unit->first.extents = {{0, file, 0, size}};
    job_->plan.units.push_back(std::move(unit->first));
    job_->tasks.push_back(std::move(unit->second));
  }

  void add_texts() {
    const auto add = [&](std::string_view name, std::string text) {
      const std::uint64_t size = text.size();
      // Shards make them too: a file of known size that no unit fills would be filled with zeros.
      add_file(std::string(name), size, 0,
               std::pair(stage::Unit{.name = std::string(name)},
                         UnitTask{.kind = UnitTask::Kind::kText, .text = std::move(text)}));
    };
    add(calibration::kDescriptionFile, calibration::to_json(job_->description).dump(2) + "\n");
    if (!job_->importance) add(calibration::kTokensFile, calibration::serialize_tokens(windows_));
  }

  stage::Unit step_unit(std::size_t step, std::size_t n_tokens) const {
    stage::Unit unit;
    unit.name = is_head(step) ? "output head" : fmt::format("model.layers.{}", step);
    unit.tokens = is_head(step) ? 0 : n_tokens;
    unit.cost = is_head(step) ? 0.02 : 1;
    return unit;
  }

  void add_steps() {
    for (std::size_t step = 0; step < n_steps(); ++step) {
      const auto shapes = calibration::site_shapes(config(), is_head(step));
      std::optional<std::pair<stage::Unit, UnitTask>> unit;
      if (!stage_.shard) {
        unit.emplace(step_unit(step, windows_.ids.size()),
                     UnitTask{.kind = UnitTask::Kind::kStep, .step = step});
      }
      add_file(calibration::layer_file_name(is_head(step) ? -1 : static_cast<int>(step)),
               stage::kOpenSize,
               calibration::layer_file_bytes(shapes, job_->settings.kind, sample_elems()),
               std::move(unit));
    }
  }

  /// The sums that shards leave for the finisher; in every plan, so that numbers of files agree.
  void add_lane_files() {
    calibration::LaneRange own;
    if (stage_.shard) {
      own =
          calibration::lanes_of_shard(job_->lanes.size(), stage_.shard->index, stage_.shard->count);
    }
    for (std::size_t step = 0; step < n_steps(); ++step) {
      const auto shapes = calibration::site_shapes(config(), is_head(step));
      for (std::size_t lane = 0; lane < job_->lanes.size(); ++lane) {
        const std::size_t n_tokens = job_->lanes[lane].n_tokens();
        std::optional<std::pair<stage::Unit, UnitTask>> unit;
        if (lane >= own.first && lane < own.end && n_tokens > 0) {
          unit.emplace(step_unit(step, n_tokens),
                       UnitTask{.kind = UnitTask::Kind::kLaneStep, .step = step, .lane = lane});
          unit->first.name += fmt::format(" lane {}", lane);
        }
        add_file(kScratch / calibration::lane_file_name(lane, step), stage::kOpenSize,
                 calibration::lane_file_bytes(shapes, job_->settings.kind,
                                              lane == 0 ? sample_elems() : 0),
                 std::move(unit));
        result().files.back().temporary = true;
      }
    }
  }

  void finish_plan() {
    stage::Plan& plan = job_->plan;
    plan.order = stage::Order::kSequential;
    plan.is_one_shard = true;
    plan.memory_bytes = needed_memory(*job_);
    plan.memory_advice = memory_advice(*job_);
    plan.measure = stage::Measure::kTokens;
    if (job_->importance) return;
    for (const tensor::TensorInfo& tensor : job_->checkpoint.weights->tensors()) {
      plan.read_bytes += tensor.n_bytes;
    }
    // Hidden states before a layer and behind it.
    result().scratch_bytes =
        2 * sizeof(float) * windows_.ids.size() * static_cast<std::uint64_t>(config().hidden);
    job_->multiply_adds = multiply_adds(*job_);
  }

  const Options& options_;
  const stage::StageOptions& stage_;
  stage::StageObserver& observer_;
  std::unique_ptr<Job> job_;
  calibration::TokenWindows windows_;
  stage::Input model_input_, data_input_;
};

}  // namespace

std::unique_ptr<Job> make_job(const std::string& model_dir, const Options& options,
                              const std::string& output, const stage::StageOptions& stage,
                              stage::StageObserver& observer) {
  return Planner(model_dir, options, stage, observer).make(output);
}

}  // namespace lq::calibrate

#include "common/verify/examination.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "common/base/errors.h"
#include "common/behaviour/evaluation_text.h"
#include "common/calibration/calibration_directory.h"
#include "common/fidelity/configuration.h"
#include "common/fidelity/identity.h"

namespace lq::verify {
namespace {

class Examination {
 public:
  explicit Examination(const ExaminationRequest& request) : request_(request) {
    if (request.reference) {
      reference_ = subject::open_subject(*request.reference);
      describe_reference();
    }
    if (request.calibration) open_calibration();
    if (!request.behaviour) return;
    behaviour_ = request.behaviour;
    behaviour_->n_threads = request.n_threads;
    behaviour_->phase = request.phase;
  }

  std::vector<Verdict> run() {
    std::vector<Verdict> verdicts;
    for (const std::filesystem::path& path : request_.results) verdicts.push_back({.path = path});
    for (Verdict& verdict : verdicts) check_soundness(verdict);
    if (reference_ != nullptr) {
      for (Verdict& verdict : verdicts) check_weights(verdict);
    }
    if (behaviour_) check_behaviour(verdicts);
    for (Verdict& verdict : verdicts) {
      std::ranges::stable_sort(verdict.findings, {}, &base::Finding::weight);
    }
    return verdicts;
  }

 private:
  void say(const std::string& phase) const {
    if (request_.phase) request_.phase(phase);
  }

  static void add(Verdict& verdict, base::Findings findings) {
    std::ranges::move(findings, std::back_inserter(verdict.findings));
  }

  /// Runs a check; what it throws about the result becomes a finding.
  template <class Code>
  static bool attempt(Verdict& verdict, const std::string& check, const Code& code) {
    try {
      code();
      return true;
    } catch (const base::ValidationError& error) {
      verdict.findings.push_back(
          {.check = check, .tensor = "", .what = error.what(), .why = error.why()});
    } catch (const base::ConversionError& error) {
      verdict.findings.push_back(
          {.check = check, .tensor = "", .what = error.what(), .why = error.why()});
    }
    return false;
  }

  void describe_reference() {
    described_ = {reference_.get(), request_.reference->filename().string(),
                  reference_->content_id()};
  }

  void open_calibration() {
    calibration_.emplace(*request_.calibration);
    calibration_->require_model(described_.content_id, reference_->config());
  }

  void check_soundness(Verdict& verdict) const {
    say("checking " + verdict.name());
    verdict.soundness = soundness::check(verdict.path, {.n_threads = request_.n_threads});
    add(verdict, verdict.soundness.findings);
  }

  void check_weights(Verdict& verdict) const {
    say("comparing the weights of " + verdict.name());
    attempt(verdict, "weights", [&] {
      const fidelity::Models models(*request_.reference, verdict.path);
      add(verdict, fidelity::configuration_findings(models));
      if (!fidelity::has_equal_shapes(models)) return;
      verdict.comparison = fidelity::compare(models.sides(calibration_ ? &*calibration_ : nullptr),
                                             request_.n_threads);
      add(verdict, fidelity::identity_findings(models, *verdict.comparison));
      add(verdict, fidelity::outliers(*verdict.comparison));
      for (const fidelity::TensorError& tensor : verdict.comparison->tensors) {
        if (!tensor.output_error) continue;
        add(verdict, missed(request_.gates, tensor.name, *tensor.output_error));
      }
    });
  }

  void check_behaviour(std::vector<Verdict>& verdicts) {
    std::unique_ptr<BehaviourRun> run;
    for (Verdict& verdict : verdicts) {
      std::unique_ptr<const subject::Subject> result;
      if (!attempt(verdict, "behaviour", [&] { result = subject::open_subject(verdict.path); })) {
        continue;
      }
      if (run == nullptr) {
        run = std::make_unique<BehaviourRun>(*behaviour_, described_, *result);
      }
      attempt(verdict, "behaviour", [&] {
        verdict.behaviour = run->judge(*result);
        tell_continuations(verdict, *result);
      });
      if (!verdict.behaviour || !verdict.behaviour->compared) continue;
      const behaviour::ComparisonSummary& measured = *verdict.behaviour->compared;
      add(verdict, missed(request_.gates, measured));
      add(verdict, missed(*verdict.grade(), measured));
    }
  }

  void tell_continuations(Verdict& verdict, const subject::Subject& result) const {
    const std::span<const std::string_view> prompts = behaviour::coherence_prompts();
    const auto text = [](const subject::Subject& subject, const behaviour::TokenList& tokens) {
      return subject.tokenizer().decode(std::vector<std::uint32_t>(tokens.begin(), tokens.end()),
                                        true);
    };
    for (std::size_t i = 0; i < verdict.behaviour->continuations.size(); ++i) {
      const behaviour::ContinuationPair& pair = verdict.behaviour->continuations[i];
      verdict.continuations.push_back(
          {std::string(prompts[i]), text(*reference_, pair.reference), text(result, pair.other)});
    }
  }

  const ExaminationRequest& request_;
  std::unique_ptr<const subject::Subject> reference_;
  Reference described_;
  std::optional<calibration::CalibrationDirectory> calibration_;
  std::optional<BehaviourRequest> behaviour_;
};

}  // namespace

std::vector<Verdict> examine(const ExaminationRequest& request) {
  return Examination(request).run();
}

}  // namespace lq::verify

#include "common/verify/behaviour_run.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "common/behaviour/evaluation_text.h"
#include "common/behaviour/reference.h"
#include "common/calibration/token_file.h"

namespace lq::verify {
namespace {

std::size_t vocabulary_of(const subject::Subject& subject) {
  return static_cast<std::size_t>(subject.config().vocab);
}

behaviour::EvaluationWindows windows_of(const BehaviourRequest& request,
                                        const subject::Subject& cutter) {
  if (!request.tokens.empty()) {
    return behaviour::given_windows(
        calibration::read_tokens(request.tokens, vocabulary_of(cutter)));
  }
  behaviour::CutOptions cut = request.cut;
  cut.n_vocab = vocabulary_of(cutter);
  return behaviour::cut_text(cutter.tokenizer(), request.text,
                             behaviour::find_protocol(request.protocol), cut);
}

}  // namespace

BehaviourRun::BehaviourRun(const BehaviourRequest& request, const Reference& reference,
                           const subject::Subject& first)
    : request_(request),
      reference_(reference),
      cutter_(reference.subject != nullptr ? *reference.subject : first),
      windows_(windows_of(request, cutter_)) {
  open_reference();
}

BehaviourRun::~BehaviourRun() = default;

void BehaviourRun::open_reference() {
  const std::filesystem::path& file = request_.reference_file;
  std::error_code ignored;
  if (!file.empty() && std::filesystem::exists(file, ignored)) {
    say("reading the reference's predictions");
    predictions_ = std::make_unique<behaviour::SavedReference>(
        file,
        behaviour::ReferenceFacts{.model_name = reference_.name,
                                  .model_id = reference_.content_id,
                                  .protocol = windows_.protocol,
                                  .windows_id = windows_.content_id(),
                                  .n_positions = behaviour::positions_of(windows_).size(),
                                  .vocabulary = vocabulary_of(cutter_),
                                  .compute = behaviour::compute_name(request_.compute)},
        request_.n_threads);
    return;
  }
  if (reference_.subject == nullptr) return;
  say("running the reference");
  auto made = std::make_unique<behaviour::ModelPredictions>(predictions_of(*reference_.subject));
  if (!file.empty()) {
    say("saving the reference's predictions");
    behaviour::save_reference(file,
                              behaviour::facts_of(reference_.name, reference_.content_id, *made,
                                                  windows_, request_.compute),
                              *made, request_.n_threads);
  }
  predictions_ = std::move(made);
}

void BehaviourRun::say(const std::string& phase) const {
  if (request_.phase) request_.phase(phase);
}

behaviour::ModelPredictions BehaviourRun::predictions_of(const subject::Subject& subject) const {
  return {{subject.config(), subject.weights()},
          windows_,
          {.compute = request_.compute, .n_threads = request_.n_threads}};
}

Behaviour BehaviourRun::judge(const subject::Subject& result) {
  say("running the model");
  behaviour::ModelPredictions model = predictions_of(result);
  Behaviour behaviour{.protocol = windows_.protocol, .n_windows = windows_.windows.n_windows()};
  if (predictions_ == nullptr) {
    behaviour.alone = behaviour::summarize_perplexity(behaviour::evaluate(model, windows_));
    return behaviour;
  }
  const std::vector<behaviour::PositionResult> positions =
      behaviour::compare(*predictions_, model, windows_, request_.n_threads);
  behaviour.compared = behaviour::summarize_comparison(positions);
  for (const behaviour::PositionResult& position : positions) {
    behaviour.divergences.push_back(position.divergence);
  }
  std::ranges::sort(behaviour.divergences);
  behaviour.continuations = continuations(result);
  return behaviour;
}

std::vector<behaviour::ContinuationPair> BehaviourRun::continuations(
    const subject::Subject& result) const {
  if (reference_.subject == nullptr || request_.continued_tokens == 0 || !request_.tokens.empty()) {
    return {};
  }
  say("letting both go on from prompts");
  std::vector<behaviour::TokenList> prompts;
  for (const std::string_view prompt : behaviour::coherence_prompts()) {
    const std::vector<std::uint32_t> ids = cutter_.tokenizer().encode(prompt, true).ids;
    prompts.emplace_back(ids.begin(), ids.end());
  }
  return behaviour::continue_both({reference_.subject->config(), reference_.subject->weights()},
                                  {result.config(), result.weights()}, prompts,
                                  {.n_tokens = request_.continued_tokens,
                                   .compute = request_.compute,
                                   .n_threads = request_.n_threads,
                                   .weights_memory = request_.weights_memory});
}

}  // namespace lq::verify

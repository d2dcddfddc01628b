#pragma once
// The evaluation of a result's behaviour as options ask for it: which text, which windows, and the
// models that read them. The reference runs once for any number of results.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/behaviour/continuation.h"
#include "common/behaviour/evaluation.h"
#include "common/behaviour/summary.h"
#include "common/subject/subject.h"

namespace lq::verify {

struct BehaviourRequest {
  std::string text = {};              // itself; not read where `tokens` is named
  std::filesystem::path tokens = {};  // windows of ids
  std::string protocol = "lq";        // of texts
  behaviour::CutOptions cut = {};     // n_vocab is filled in
  linalg::Compute compute = linalg::Compute::kBf16;
  int n_threads = 1;
  /// The reference's predictions: used where the file is there, else made. Empty: none.
  std::filesystem::path reference_file = {};
  std::size_t continued_tokens = 48;  // of each continuation; 0: none
  std::uint64_t weights_memory = 0;   // that continuations may keep layers in, bytes
  /// Told what goes on next. May be empty.
  std::function<void(const std::string&)> phase = {};
};

/// What one result is compared with; `subject` may be nullptr where its predictions are in a file.
struct Reference {
  const subject::Subject* subject = nullptr;
  std::string name, content_id;
};

/// How a result behaves.
struct Behaviour {
  std::string protocol = {};
  std::size_t n_windows = 0;
  std::optional<behaviour::PerplexitySummary> alone = {};  // where there is no reference
  std::optional<behaviour::ComparisonSummary> compared = {};
  std::vector<double> divergences = {};  // KL of the positions, ascending; of a comparison
  std::vector<behaviour::ContinuationPair> continuations = {};  // of coherence_prompts(), likewise
};

class BehaviourRun {
 public:
  /// `first`: a result whose tokenizer cuts the text where the reference has none. Runs the reference
  /// or reads its predictions. All arguments are referred to. Throws as cut_text(), read_tokens(),
  /// ModelPredictions, SavedReference and save_reference().
  BehaviourRun(const BehaviourRequest& request, const Reference& reference,
               const subject::Subject& first);
  ~BehaviourRun();

  /// Throws ValidationError where the vocabularies differ, and as ModelPredictions.
  Behaviour judge(const subject::Subject& result);

 private:
  void open_reference();
  void say(const std::string& phase) const;
  behaviour::ModelPredictions predictions_of(const subject::Subject& subject) const;
  std::vector<behaviour::ContinuationPair> continuations(const subject::Subject& result) const;

  const BehaviourRequest& request_;
  const Reference& reference_;
  const subject::Subject& cutter_;  // whose tokenizer and vocabulary count
  const behaviour::EvaluationWindows windows_;
  std::unique_ptr<behaviour::Predictions> predictions_;  // of the reference
};

}  // namespace lq::verify

#include "common/behaviour/evaluation_text.h"

namespace lq::behaviour {
namespace {

constexpr std::string_view kPrompts[] = {
    "A lighthouse has to be seen from far away and told apart from all others. For this reason",
    "Question: Why do leaves fall from trees in autumn?\nAnswer:",
    "How to plant a fruit tree:\n1. Dig a hole that is twice as wide as the roots.\n2.",
    "The four seasons are spring, summer, autumn and winter. The seven days of the week are",
    "A train travels 120 kilometres in one hour and a half. Its average speed is",
    "def reverse_words(sentence):\n    \"\"\"Return the words of a sentence in reverse "
    "order.\"\"\"\n",
    "Der Rhein entspringt in den Schweizer Alpen und mündet",
    "Pour faire une omelette, il faut d'abord",
};

}  // namespace

std::string built_in_text() {
  std::string all;
  for (const calibration::DefaultText& text : evaluation_texts()) {
    if (!all.empty()) all += '\n';
    all += text.text;
  }
  return all;
}

std::span<const std::string_view> coherence_prompts() { return kPrompts; }

}  // namespace lq::behaviour

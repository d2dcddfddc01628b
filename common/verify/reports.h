#pragma once
// Verdicts for people, for programs, for build servers and for browsers.

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "common/verify/verdict.h"

namespace lq::verify {

/// What all reports say beside the verdicts.
struct Heading {
  std::string reference;    // path; empty: none
  std::string calibration;  // likewise
  std::string tool;         // "lq-verify 0.1.0"
};

/// One screen for each result; several are compared in a table at the end.
std::vector<std::string> text_report(std::span<const Verdict> verdicts, const Heading& heading);

/// Of the first result, with `perplexity`, `reference_perplexity`, `kld_mean` and `top1` at the top
/// where they are known; of several, all in `results`.
nlohmann::ordered_json json_report(std::span<const Verdict> verdicts, const Heading& heading);

/// JUnit's XML: a suite for each result, a case for each check that can fail.
std::string junit_report(std::span<const Verdict> verdicts, double seconds);

/// One page that needs nothing else.
std::string html_report(std::span<const Verdict> verdicts, const Heading& heading);

/// "1.2345 (1.2000 to 1.2500)"
std::string with_interval(const behaviour::Estimate& estimate, int digits);

}  // namespace lq::verify

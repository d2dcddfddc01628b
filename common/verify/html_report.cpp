#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

#include "common/base/text.h"
#include "common/verify/reports.h"
#include "common/verify/svg.h"

namespace lq::verify {
namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2733; background: #f5f7f9; margin: 0; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; }
section { background: #fff; border: 1px solid #dde3e9; border-radius: 8px; padding: 1.25rem 1.5rem;
  margin-top: 1.25rem; overflow-x: auto; }
.path { color: #5a6b7b; overflow-wrap: anywhere; }
.good, .bad { display: inline-block; border-radius: 4px; padding: .1rem .6rem; font-weight: 600; }
.good { background: #dff3e4; color: #14532d; } .bad { background: #fbe1e1; color: #7f1d1d; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid #e7ebef;
  vertical-align: top; }
th { color: #5a6b7b; font-weight: 600; } td.n, th.n { text-align: right; }
svg { width: 100%; height: auto; display: block; margin: .5rem 0; }
svg text { font: 12px system-ui, sans-serif; fill: #33424f; }
.axis { stroke: #98a6b3; } .bar { fill: #4a90c4; } .point { fill: #1f5f99; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f5f7f9; border-radius: 6px;
  padding: .6rem .8rem; margin: .25rem 0; font: 13px/1.45 ui-monospace, monospace; }
)";

std::string cell(std::string_view text, bool is_number = false) {
  return fmt::format("<td{}>{}</td>", is_number ? " class=\"n\"" : "", escape_html(text));
}
std::string row(std::string_view name, const std::string& value) {
  return fmt::format("<tr><th>{}</th>{}</tr>\n", escape_html(name), cell(value));
}

std::string mark(const Verdict& verdict) {
  const std::size_t n_faults = verdict.n_faults();
  return n_faults == 0 ? "<span class=\"good\">every check passed</span>"
                       : fmt::format("<span class=\"bad\">{} fault{}</span>", n_faults,
                                     n_faults == 1 ? "" : "s");
}

std::string findings_section(const Verdict& verdict) {
  if (verdict.findings.empty()) return {};
  std::string html =
      "<section><h2>Findings</h2><table><tr><th></th><th>check</th><th>tensor</th><th>what</th>"
      "<th>why</th></tr>\n";
  for (const base::Finding& finding : verdict.findings) {
    const bool is_fault = finding.weight == base::Weight::kFault;
    html += fmt::format("<tr><td><span class=\"{}\">{}</span></td>{}{}{}{}</tr>\n",
                        is_fault ? "bad" : "good", is_fault ? "fault" : "note", cell(finding.check),
                        cell(finding.tensor), cell(finding.what), cell(finding.why));
  }
  return html + "</table></section>\n";
}

std::string facts_section(const Verdict& verdict) {
  const soundness::Soundness& sound = verdict.soundness;
  std::string html = "<section><table>\n";
  html += row("kind", fmt::format("{}, {}: {}", sound.container, sound.format, sound.scheme));
  html += row("size",
              fmt::format("{} tensors, {}", sound.n_tensors, base::format_bytes(sound.n_bytes)));
  for (const soundness::RuntimeVerdict& runtime : sound.runtimes) {
    html += row(runtime.name, fmt::format("{}{}{}", runtime.loads ? "loads" : "does not load",
                                          runtime.why.empty() ? "" : ": ", runtime.why));
  }
  return html + "</table></section>\n";
}

std::string behaviour_section(const Verdict& verdict) {
  const Behaviour& behaviour = *verdict.behaviour;
  std::string html = "<section><h2>Behaviour</h2><table>\n";
  if (behaviour.alone) {
    html += row("perplexity", with_interval(behaviour.alone->perplexity, 4));
  } else {
    const behaviour::ComparisonSummary& measured = *behaviour.compared;
    html += row("grade", fmt::format("{}: {}", verdict.grade()->name, verdict.grade()->meaning));
    html += row("perplexity", with_interval(measured.perplexity, 4));
    html += row("of the reference", with_interval(measured.reference_perplexity, 4));
    html += row("their ratio", with_interval(measured.perplexity_ratio, 4));
    html += row("KL divergence, mean", with_interval(measured.divergence, 5));
    html += row("median, 99 %, largest",
                fmt::format("{:.5f}, {:.4f}, {:.3f}", measured.divergence_median,
                            measured.divergence_99, measured.divergence_max));
    html += row("same top token", with_interval(measured.same_top, 4));
    html += row("change of p", with_interval(measured.p_change, 4));
  }
  html += row("measured on", fmt::format("protocol {}, {} windows; intervals of 95 %",
                                         behaviour.protocol, behaviour.n_windows));
  html += "</table>\n";
  if (!behaviour.divergences.empty()) {
    html += histogram("How many positions have which KL divergence", "KL divergence in nats",
                      behaviour.divergences, 1e-6);
  }
  return html + "</section>\n";
}

/// "attn_q" of "blk.3.attn_q.weight": what is the same in all layers.
std::string label_of(const fidelity::TensorError& tensor) {
  const std::string number = fmt::format(".{}.", tensor.key.layer);
  const std::size_t at = tensor.name.find(number);
  std::string label =
      at == std::string::npos ? tensor.name : tensor.name.substr(at + number.size());
  constexpr std::string_view kWeight = ".weight";
  if (label.ends_with(kWeight)) label.resize(label.size() - kWeight.size());
  return label;
}

/// Relative errors, or output errors where they are known of all, by role and layer.
std::string heat_section(const fidelity::Comparison& comparison) {
  HeatMap map;
  std::map<std::string, std::map<int, double>> values;
  std::set<int> layers;
  const bool by_output = std::ranges::any_of(
      comparison.tensors,
      [](const fidelity::TensorError& tensor) { return tensor.output_error.has_value(); });
  for (const fidelity::TensorError& tensor : comparison.tensors) {
    if (!tensor.is_matrix || tensor.key.layer < 0 || !tensor.problem.empty()) continue;
    if (by_output && !tensor.output_error) continue;
    values[label_of(tensor)][tensor.key.layer] =
        by_output ? *tensor.output_error : tensor.relative_error();
    layers.insert(tensor.key.layer);
  }
  if (values.empty()) return {};
  map.value_name = by_output ? "output error" : "relative error of the weights";
  map.title = map.value_name + ", layer by layer";
  for (const int layer : layers) map.columns.push_back(fmt::format("{}", layer));
  for (const auto& [label, of_layers] : values) {
    map.rows.push_back(label);
    for (const int layer : layers) {
      const auto found = of_layers.find(layer);
      map.values.push_back(found == of_layers.end() ? std::optional<double>() : found->second);
    }
  }
  return fmt::format(
      "<section><h2>Weights</h2><p>{} of all matrices together: {:.4f}</p>\n{}"
      "</section>\n",
      "Relative error", relative_error(comparison), heat_map(map));
}

std::string continuation_section(const Verdict& verdict) {
  if (verdict.continuations.empty()) return {};
  std::string html = "<section><h2>Continuations</h2>\n";
  for (std::size_t i = 0; i < verdict.continuations.size(); ++i) {
    const Continuation& text = verdict.continuations[i];
    const behaviour::ContinuationPair& pair = verdict.behaviour->continuations[i];
    html += fmt::format(
        "<p><strong>{}</strong><br>{} tokens in common; repeated {:.0f} % (reference {:.0f} %)</p>"
        "<pre>reference: {}</pre><pre>this model: {}</pre>\n",
        escape_html(text.prompt), pair.n_common, 100 * pair.of_other.repeated_share,
        100 * pair.of_reference.repeated_share, escape_html(text.reference),
        escape_html(text.other));
  }
  return html + "</section>\n";
}

std::string comparison_section(std::span<const Verdict> verdicts) {
  std::string html =
      "<section><h2>Comparison</h2><table><tr><th>result</th><th class=\"n\">size</th>"
      "<th class=\"n\">relative error</th><th class=\"n\">KL divergence</th>"
      "<th class=\"n\">perplexity</th><th class=\"n\">same top</th><th>grade</th><th></th></tr>\n";
  std::vector<Point> points;
  for (const Verdict& verdict : verdicts) {
    const behaviour::ComparisonSummary* const measured =
        verdict.behaviour && verdict.behaviour->compared ? &*verdict.behaviour->compared : nullptr;
    const auto number = [&](double value, int digits) {
      return cell(measured == nullptr ? "-" : fmt::format("{:.{}f}", value, digits), true);
    };
    html +=
        "<tr>" + cell(verdict.name()) + cell(base::format_bytes(verdict.soundness.n_bytes), true) +
        cell(verdict.comparison ? fmt::format("{:.4f}", relative_error(*verdict.comparison)) : "-",
             true) +
        number(measured ? measured->divergence.value : 0, 5) +
        number(measured ? measured->perplexity.value : 0, 4) +
        number(measured ? measured->same_top.value : 0, 4) +
        cell(verdict.grade() ? verdict.grade()->name : "-") +
        fmt::format("<td>{}</td></tr>\n", mark(verdict));
    if (measured != nullptr) {
      points.push_back({verdict.name(), static_cast<double>(verdict.soundness.n_bytes) / 1e6,
                        measured->divergence.value});
    }
  }
  html += "</table>\n";
  if (points.size() > 1) {
    html += scatter("Size against quality", "megabytes", "KL divergence", points);
  }
  return html + "</section>\n";
}

}  // namespace

std::string html_report(std::span<const Verdict> verdicts, const Heading& heading) {
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
      "name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n"
      "<style>{}</style>\n</head>\n<body>\n<main>\n",
      escape_html(verdicts.size() == 1 ? verdicts.front().name() : "Quantized models"), kStyle);
  if (verdicts.size() > 1) html += "<h1>Quantized models compared</h1>\n";
  if (!heading.reference.empty() && verdicts.size() > 1) {
    html += fmt::format("<p class=\"path\">reference: {}</p>\n", escape_html(heading.reference));
  }
  if (verdicts.size() > 1) html += comparison_section(verdicts);
  for (const Verdict& verdict : verdicts) {
    html +=
        fmt::format("<h1>{}</h1>\n<p class=\"path\">{}</p>\n<p>{}</p>\n",
                    escape_html(verdict.name()), escape_html(verdict.path.string()), mark(verdict));
    if (!heading.reference.empty() && verdicts.size() == 1) {
      html += fmt::format("<p class=\"path\">reference: {}</p>\n", escape_html(heading.reference));
    }
    html += facts_section(verdict) + findings_section(verdict);
    if (verdict.behaviour) html += behaviour_section(verdict);
    if (verdict.comparison) html += heat_section(*verdict.comparison);
    html += continuation_section(verdict);
  }
  return html + fmt::format("<p class=\"path\">{}</p>\n</main>\n</body>\n</html>\n",
                            escape_html(heading.tool));
}

}  // namespace lq::verify

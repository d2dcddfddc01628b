#include "tools/lq-inspect/report.h"

#include <fmt/format.h>

#include "common/base/text.h"

namespace lq::inspect {
namespace {

using nlohmann::ordered_json;

void line(std::vector<std::string>& lines, const std::string& label, const std::string& value) {
  lines.push_back(fmt::format("{:<16}{}", label, value));
}

std::string plain(const ordered_json& value) {
  if (value.is_string()) return base::escape_controls(value.get<std::string>());
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  return base::escape_controls(value.dump());
}

/// "key value, key value" of a flat object.
std::string phrase(const ordered_json& object) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : object.items()) {
    if (!value.is_structured())
      parts.push_back(fmt::format("{} {}", base::escape_controls(key), plain(value)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

void tensor_lines(const ModelFacts& facts, std::vector<std::string>& lines) {
  lines.push_back("");
  lines.push_back(fmt::format("{:<60} {:<8} {:<20} {:>14}", "tensor", "type", "shape", "bytes"));
  for (const TensorFacts& tensor : facts.tensors) {
    lines.push_back(fmt::format("{:<60} {:<8} {:<20} {:>14}", base::escape_controls(tensor.name),
                                tensor.type, fmt::format("[{}]", fmt::join(tensor.shape, ", ")),
                                tensor.bytes));
  }
}

std::string verdict(const Estimate& row, const Machine& machine) {
  if (!row.refused.empty()) return row.refused;
  if (machine.memory > 0 && row.memory > machine.memory) return "more memory than there is";
  if (machine.disk > 0 && row.disk > machine.disk) return "more disk than is free here";
  return "fits";
}

void estimate_lines(const Estimates& estimates, std::vector<std::string>& lines) {
  lines.push_back("");
  lines.push_back(fmt::format("{:<16} {:>16} {:>8} {:>9} {:>10} {:>10}  {}", "type", "bytes",
                              "bits", "smaller", "memory", "disk", "on this machine"));
  for (const Estimate& row : estimates.rows) {
    lines.push_back(fmt::format("{:<16} {:>16} {:>8.2f} {:>8.1f}% {:>10} {:>10}  {}", row.type,
                                row.bytes, row.bits_per_weight, row.reduction,
                                base::format_bytes(row.memory), base::format_bytes(row.disk),
                                verdict(row, estimates.machine)));
  }
  lines.push_back(
      fmt::format("this machine: {} of memory available, {} of disk free here, {} threads",
                  base::format_bytes(estimates.machine.memory),
                  base::format_bytes(estimates.machine.disk), estimates.machine.threads));
}

}  // namespace

std::vector<std::string> text_report(const ModelFacts& facts, bool with_tensors,
                                     const std::optional<Estimates>& estimates) {
  std::vector<std::string> lines;
  line(lines, "model", base::escape_controls(facts.name.empty() ? facts.path : facts.name));
  line(lines, "path", base::escape_controls(facts.path));
  line(lines, "stored as", std::string(storage_row(facts.storage).label));
  line(lines, "architecture", base::escape_controls(facts.architecture));
  line(lines, "parameters", fmt::format("{}", facts.parameters));
  line(lines, "size",
       fmt::format("{} in {} file{} ({} tensors)", base::format_bytes(facts.file_bytes),
                   facts.n_files, facts.n_files == 1 ? "" : "s", facts.tensors.size()));
  for (const Fact& fact : facts.hyperparameters) {
    line(lines, fact.label, fact.value.is_object() ? phrase(fact.value) : plain(fact.value));
  }
  line(lines, "tokenizer", facts.tokenizer.is_null() ? "none" : phrase(facts.tokenizer));
  line(lines, "quantization", facts.quantization.is_null() ? "none" : phrase(facts.quantization));
  for (const TypeShare& share : type_shares(facts)) {
    line(lines, "",
         fmt::format("{:<8} {:>5} tensors {:>12}", share.type, share.n_tensors,
                     base::format_bytes(share.bytes)));
  }
  for (const std::string& note : facts.notes) line(lines, "note", note);
  if (with_tensors) tensor_lines(facts, lines);
  if (estimates) estimate_lines(*estimates, lines);
  return lines;
}

ordered_json json_report(const ModelFacts& facts, bool with_tensors,
                         const std::optional<Estimates>& estimates) {
  ordered_json json;
  json["path"] = facts.path;
  json["kind"] = storage_row(facts.storage).key;
  json["name"] = facts.name;
  json["architecture"] = facts.architecture;
  json["parameters"] = facts.parameters;
  json["tensor_count"] = facts.tensors.size();
  json["tensor_bytes"] = facts.tensor_bytes;
  json["file_bytes"] = facts.file_bytes;
  json["files"] = facts.n_files;
  for (const Fact& fact : facts.hyperparameters) json[fact.key] = fact.value;
  json["tokenizer"] = facts.tokenizer;
  json["quantization"] = facts.quantization;
  json["types"] = ordered_json::array();
  for (const TypeShare& share : type_shares(facts)) {
    json["types"].push_back(
        {{"type", share.type}, {"tensors", share.n_tensors}, {"bytes", share.bytes}});
  }
  json["notes"] = facts.notes;
  if (with_tensors) {
    json["tensors"] = ordered_json::array();
    for (const TensorFacts& tensor : facts.tensors) {
      json["tensors"].push_back({{"name", tensor.name},
                                 {"type", tensor.type},
                                 {"shape", tensor.shape},
                                 {"bytes", tensor.bytes},
                                 {"file", tensor.file}});
    }
  }
  if (estimates) {
    json["estimate"] = ordered_json::array();
    for (const Estimate& row : estimates->rows) {
      json["estimate"].push_back({{"type", row.type},
                                  {"tool", row.tool},
                                  {"bytes", row.bytes},
                                  {"bits_per_weight", row.bits_per_weight},
                                  {"reduction_percent", row.reduction},
                                  {"memory_bytes", row.memory},
                                  {"disk_bytes", row.disk},
                                  {"fits", verdict(row, estimates->machine) == "fits"},
                                  {"refused", row.refused}});
    }
    json["machine"] = {{"memory_bytes", estimates->machine.memory},
                       {"disk_bytes", estimates->machine.disk},
                       {"threads", estimates->machine.threads}};
  }
  return json;
}

}  // namespace lq::inspect

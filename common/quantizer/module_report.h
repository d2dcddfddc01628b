#pragma once
// What became of each quantized module: for the log, the manifest and the model card. A unit leaves
// its reports in the scratch folder of the run, where the unit that concludes it finds those of all
// runs and shards.

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace lq::quantizer {

struct ModuleReport {
  std::string module;
  int bits = 0;
  std::size_t group_size = 0;        // 0: whole rows
  std::string method;                // "solved", "rounded"
  double error = 0;                  // tr(E H E^T) over tr(W H W^T), H damped; of "solved"
  double error_of_rounding = 0;      // the same of plain rounding with searched ranges
  double energy = 0;                 // tr(W H W^T), which weighs modules against each other
  double saturation = 0;             // share of the codes that lie at the ends of the grid
  double damping = 0;                // share of the diagonal that was added
  std::size_t dead_columns = 0;      // that no calibration token has used
  std::size_t rounded_rows = 0;      // that plain rounding served better than error feedback
  std::optional<double> correction;  // strength, of sequential runs
  std::string note;                  // why it was not solved, or what else there is to say
  double seconds = 0;
};

nlohmann::ordered_json to_json(const ModuleReport& report);
/// Throws nlohmann::json::exception for what to_json() does not write.
ModuleReport report_from_json(const nlohmann::json& json);

/// "model.layers.0.mlp.down_proj: output error 0.00312, 0.61 of rounding's; ..."
std::string describe(const ModuleReport& report);

/// Reports of units, in files of the scratch folder.
class ReportFolder {
 public:
  /// `tag` names the run: files of another are not taken.
  ReportFolder(std::filesystem::path folder, std::string tag);

  /// Throws OutputError.
  void keep(std::size_t unit, const std::vector<ModuleReport>& reports) const;
  /// Empty when they are not there.
  std::optional<std::vector<ModuleReport>> find(std::size_t unit) const;
  /// Throws CheckpointError when they are not there.
  std::vector<ModuleReport> take(std::size_t unit) const;

 private:
  std::filesystem::path path(std::size_t unit) const;
  std::string tag(std::size_t unit) const;

  const std::filesystem::path folder_;
  const std::string tag_;
};

/// Sums over modules, weighed by their energy.
struct ReportSummary {
  std::size_t n_solved = 0, n_rounded = 0;
  double error = 0, error_of_rounding = 0;  // of the solved ones, as in ModuleReport

  double ratio() const { return error_of_rounding > 0 ? error / error_of_rounding : 0; }
};
ReportSummary summary_of(const std::vector<ModuleReport>& reports);

}  // namespace lq::quantizer

#pragma once
// What lq-calibrate leaves and all quantizers read: calibration_directory.md has the layout.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/calibration/layer_file.h"
#include "common/calibration/layer_stats.h"
#include "common/stage/plan.h"

namespace lq::calibration {

inline constexpr std::string_view kDescriptionFile = "calibration.json";
inline constexpr std::string_view kTokensFile = "tokens.safetensors";

/// "layer-007.safetensors.zst"; of the head (-1) "head.safetensors.zst".
std::string layer_file_name(int layer);

/// calibration.json: what the statistics are of, and which there are.
struct Description {
  std::string id;            // of this calibration; its layer files have it too
  std::string model_id;      // the model's content id (model::describe_input)
  std::string model_name;    // for people
  std::string architecture;  // GGUF's name of the family
  int n_layers = 0;
  std::vector<SiteShape> layer_sites = {}, head_sites = {};

  std::string data_name, data_hash;  // what the texts were, and a hash of the ids
  std::int64_t n_windows = 0, n_tokens = 0, seq_len = 0;

  std::string stats;          // "full", "block", "diag"; "imatrix": sums of squares alone
  std::string compute;        // "bf16", "f32"
  std::string numeric_class;  // empty when nothing was computed
  std::int64_t lanes = 0;
  std::int64_t sample_tokens = 0;
};

nlohmann::ordered_json to_json(const Description& description);

/// A calibration directory, opened. Reads calibration.json only.
class CalibrationDirectory {
 public:
  /// Throws ModelNotFoundError when there is none, ValidationError when calibration.json is not what
  /// this version of lq-calibrate writes.
  explicit CalibrationDirectory(std::filesystem::path dir);

  const std::filesystem::path& path() const { return dir_; }
  const Description& description() const { return description_; }
  /// Of a layer, or of the head (-1). Throws as read_layer().
  LayerStats read(int layer, Want want, int n_threads) const;
  /// All files of the directory that quantizers read, in a fixed order.
  std::vector<std::filesystem::path> files() const;
  /// The directory as an input (role "calibration") of a plan. Contents are told apart by the hashes
  /// of its manifest, or computed where a file is not as that says. Throws ModelNotFoundError for a
  /// missing file.
  stage::Input describe_input() const;

  /// Throws ValidationError when it was made from another model, or has other sites than that.
  void require_model(const std::string& model_id, const model::ModelConfig& config) const;

 private:
  std::filesystem::path dir_;
  Description description_;
};

/// Whether `dir` looks like one.
bool is_calibration_directory(const std::filesystem::path& dir);

}  // namespace lq::calibration

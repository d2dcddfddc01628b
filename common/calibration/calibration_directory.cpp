#include "common/calibration/calibration_directory.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/digest.h"
#include "common/io/file_status.h"
#include "common/io/input_file.h"
#include "common/io/json_file.h"
#include "common/stage/known_hashes.h"
#include "common/stage/manifest.h"

namespace lq::calibration {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr std::string_view kFormatName = "lq-calibration";

[[noreturn]] void fail(const std::filesystem::path& dir, std::string why) {
  throw base::ValidationError(
      fmt::format("cannot use the calibration directory {}", base::shown(dir)), std::move(why),
      "make it again with lq-calibrate");
}

/// A member of calibration.json, and what it must be.
class Member {
 public:
  Member(const json& object, const char* key, const std::filesystem::path& dir)
      : dir_(dir), key_(key) {
    const auto found = object.find(key);
    if (found == object.end()) fail(dir, fmt::format("calibration.json has no {}", key));
    value_ = &*found;
  }

  std::string text() const {
    if (!value_->is_string()) refuse("a text");
    return value_->get<std::string>();
  }
  std::string hash() const {
    const std::string digits = text();
    if (digits.size() != 64 || digits.find_first_not_of("0123456789abcdef") != std::string::npos) {
      refuse("a SHA-256 in hex");
    }
    return digits;
  }
  std::int64_t number(std::int64_t lowest, std::int64_t highest) const {
    if (!value_->is_number_integer()) refuse("a whole number");
    const auto number = value_->get<std::int64_t>();
    if (number < lowest || number > highest) {
      refuse(fmt::format("from {} to {}", lowest, highest).c_str());
    }
    return number;
  }
  const json& object() const {
    if (!value_->is_object()) refuse("an object");
    return *value_;
  }
  const json& array() const {
    if (!value_->is_array()) refuse("a list");
    return *value_;
  }

 private:
  [[noreturn]] void refuse(const char* wanted) const {
    fail(dir_, fmt::format("{} in calibration.json is not {}", key_, wanted));
  }

  const std::filesystem::path& dir_;
  const char* key_;
  const json* value_ = nullptr;
};

ordered_json site_json(const SiteShape& shape) {
  return {{"name", shape.row->name}, {"width", shape.width}, {"per_layer", shape.row->per_layer}};
}

void take_site(const json& entry, const std::filesystem::path& dir, Description& description) {
  constexpr std::int64_t kMostChannels = std::int64_t{1} << 20;
  if (!entry.is_object()) fail(dir, "a site in calibration.json is not an object");
  const std::string name = Member(entry, "name", dir).text();
  const auto width = static_cast<std::size_t>(Member(entry, "width", dir).number(1, kMostChannels));
  const auto rows = sites();
  const auto found = std::ranges::find(rows, name, &SiteRow::name);
  if (found == rows.end()) {
    fail(dir, fmt::format("calibration.json names a site {}, which this version does not know",
                          base::escape_controls(name)));
  }
  auto& shapes = found->per_layer ? description.layer_sites : description.head_sites;
  const bool known =
      std::ranges::any_of(shapes, [&](const SiteShape& shape) { return shape.row == &*found; });
  if (known) fail(dir, fmt::format("calibration.json names the site {} twice", name));
  shapes.push_back({&*found, width});
}

json read_description(const std::filesystem::path& dir) {
  const auto status = io::file_status(dir);
  if (!status || !status->is_directory || !is_calibration_directory(dir)) {
    throw base::ModelNotFoundError(
        fmt::format("cannot use the calibration directory {}", base::shown(dir)),
        status ? "it holds no calibration.json" : "there is nothing at this path",
        "make one: lq-calibrate MODEL -o DIR");
  }
  return io::read_json_file(dir / kDescriptionFile);
}

}  // namespace

std::string layer_file_name(int layer) {
  if (layer < 0) return "head.safetensors.zst";
  return fmt::format("layer-{:03}.safetensors.zst", layer);
}

ordered_json to_json(const Description& d) {
  ordered_json site_list = ordered_json::array();
  for (const SiteShape& shape : d.layer_sites) site_list.push_back(site_json(shape));
  for (const SiteShape& shape : d.head_sites) site_list.push_back(site_json(shape));
  return {{"schema", fmt::format("{}/{}", kFormatName, kFormat)},
          {"id", d.id},
          {"model",
           {{"content_id", d.model_id},
            {"name", d.model_name},
            {"architecture", d.architecture},
            {"layers", d.n_layers}}},
          {"data",
           {{"name", d.data_name},
            {"ids_sha256", d.data_hash},
            {"windows", d.n_windows},
            {"tokens", d.n_tokens},
            {"seq_len", d.seq_len}}},
          {"stats", d.stats},
          {"compute", d.compute},
          {"numeric_class", d.numeric_class},
          {"lanes", d.lanes},
          {"sample_tokens", d.sample_tokens},
          {"sites", site_list}};
}

CalibrationDirectory::CalibrationDirectory(std::filesystem::path dir) : dir_(std::move(dir)) {
  constexpr std::int64_t kMany = std::int64_t{1} << 40;
  const json parsed = read_description(dir_);
  if (!parsed.is_object()) fail(dir_, "calibration.json is not an object");
  const std::string schema = Member(parsed, "schema", dir_).text();
  if (schema != fmt::format("{}/{}", kFormatName, kFormat)) {
    fail(dir_, fmt::format("its format is {}; this version reads {}/{}",
                           base::escape_controls(schema), kFormatName, kFormat));
  }
  const json& model = Member(parsed, "model", dir_).object();
  const json& data = Member(parsed, "data", dir_).object();
  description_ = {
      .id = Member(parsed, "id", dir_).hash(),
      .model_id = Member(model, "content_id", dir_).hash(),
      .model_name = Member(model, "name", dir_).text(),
      .architecture = Member(model, "architecture", dir_).text(),
      .n_layers = static_cast<int>(Member(model, "layers", dir_).number(1, 1 << 16)),
      .data_name = Member(data, "name", dir_).text(),
      .data_hash = Member(data, "ids_sha256", dir_).hash(),
      .n_windows = Member(data, "windows", dir_).number(0, kMany),
      .n_tokens = Member(data, "tokens", dir_).number(0, kMany),
      .seq_len = Member(data, "seq_len", dir_).number(0, kMany),
      .stats = Member(parsed, "stats", dir_).text(),
      .compute = Member(parsed, "compute", dir_).text(),
      .numeric_class = Member(parsed, "numeric_class", dir_).text(),
      .lanes = Member(parsed, "lanes", dir_).number(0, kMany),
      .sample_tokens = Member(parsed, "sample_tokens", dir_).number(0, kMany),
  };
  for (const json& entry : Member(parsed, "sites", dir_).array()) {
    take_site(entry, dir_, description_);
  }
  if (description_.layer_sites.empty()) fail(dir_, "calibration.json names no site of a layer");
}

LayerStats CalibrationDirectory::read(int layer, Want want, int n_threads) const {
  return read_layer(dir_ / layer_file_name(layer),
                    layer < 0 ? description_.head_sites : description_.layer_sites, description_.id,
                    want, n_threads);
}

std::vector<std::filesystem::path> CalibrationDirectory::files() const {
  std::vector<std::filesystem::path> paths = {dir_ / kDescriptionFile};
  for (int layer = 0; layer < description_.n_layers; ++layer) {
    paths.push_back(dir_ / layer_file_name(layer));
  }
  if (!description_.head_sites.empty()) paths.push_back(dir_ / layer_file_name(-1));
  return paths;
}

stage::Input CalibrationDirectory::describe_input() const {
  const std::optional<json> manifest = stage::read_manifest(dir_ / "lq-manifest.json");
  std::vector<stage::FileRecord> records;
  if (manifest) records = stage::recorded_outputs(*manifest);
  stage::KnownHashes hashes([] {});
  stage::Input input{"calibration", std::filesystem::absolute(dir_), {}, "", nullptr};
  io::Digest content(io::Digest::Algorithm::kSha256);
  for (const std::filesystem::path& path : files()) {
    const io::InputFile file(path);
    const auto record = std::ranges::find(records, path.filename(), &stage::FileRecord::path);
    const bool known = record != records.end() && record->size == file.size() &&
                       record->mtime_ns == file.mtime_ns();
    const std::string sha256 = known ? record->sha256 : hashes.of_file(path);
    input.files.push_back({std::filesystem::absolute(path), file.size(), file.mtime_ns(), sha256});
    content.update(path.filename().string() + "\n" + sha256 + "\n");
  }
  input.content_id = content.hex();
  return input;
}

void CalibrationDirectory::require_model(const std::string& model_id,
                                         const model::ModelConfig& config) const {
  if (model_id == description_.model_id) {
    const bool same =
        description_.n_layers == config.n_layers &&
        description_.layer_sites == site_shapes(config, false) &&
        (description_.head_sites.empty() || description_.head_sites == site_shapes(config, true));
    if (!same) fail(dir_, "calibration.json has other layers or sites than the model");
    return;
  }
  throw base::ValidationError(
      fmt::format("cannot use the calibration directory {}", base::shown(dir_)),
      fmt::format("it was made from another model ({}, content {:.12})",
                  base::escape_controls(description_.model_name), description_.model_id),
      fmt::format("calibrate this one (content {:.12}): lq-calibrate MODEL -o DIR", model_id));
}

bool is_calibration_directory(const std::filesystem::path& dir) {
  return io::file_status(dir / kDescriptionFile).has_value();
}

}  // namespace lq::calibration

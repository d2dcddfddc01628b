#include "common/model/origin.h"

#include <fmt/format.h>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/base/errors.h"
#include "common/io/json_file.h"

namespace lq::model {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

/// Of <cache>/models--NS--NAME/snapshots/COMMIT.
struct CachePlace {
  std::filesystem::path repository;  // <cache>/models--NS--NAME
  std::string repo, commit;
};

CachePlace cache_place(const std::filesystem::path& real) {
  constexpr std::string_view kPrefix = "models--";
  const std::filesystem::path repository = real.parent_path().parent_path();
  const std::string folder = repository.filename().string();
  if (real.parent_path().filename() != "snapshots" || !folder.starts_with(kPrefix)) return {};
  const std::string flat = folder.substr(kPrefix.size());
  const std::size_t separator = flat.find("--");
  std::string repo =
      separator == std::string::npos
          ? flat
          : fmt::format("{}/{}", flat.substr(0, separator), flat.substr(separator + 2));
  return {repository, std::move(repo), real.filename().string()};
}

/// The `origin` of a manifest: its own, or that of the input it describes first.
ordered_json origin_of(const json& manifest) {
  if (!manifest.is_object()) return nullptr;
  const auto own = manifest.find("origin");
  if (own != manifest.end() && own->is_object()) return *own;
  const auto inputs = manifest.find("inputs");
  if (inputs == manifest.end() || !inputs->is_array() || inputs->empty()) return nullptr;
  const json& first = inputs->front();
  const auto origin = first.is_object() ? first.find("origin") : first.end();
  return first.is_object() && origin != first.end() && origin->is_object() ? ordered_json(*origin)
                                                                           : ordered_json(nullptr);
}

ordered_json read_manifest_origin(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return nullptr;
  try {
    return origin_of(io::read_json_file(path));
  } catch (const base::QuantizationError&) {
    return nullptr;
  }
}

}  // namespace

ordered_json read_origin(const std::filesystem::path& dir) {
  std::error_code failed;
  std::filesystem::path real = std::filesystem::canonical(dir, failed);
  if (failed) return nullptr;
  const CachePlace place = cache_place(real);
  // A file of ours inside a snapshot would disturb the cache's own checks, so the manifest lies
  // beside it.
  ordered_json origin =
      read_manifest_origin(place.repo.empty() ? real / "lq-manifest.json"
                                              : place.repository / "lq" / (place.commit + ".json"));
  if (origin.is_null() && !place.repo.empty()) {
    origin = {{"repo", place.repo}, {"commit", place.commit}};
  }
  return origin;
}

}  // namespace lq::model

#pragma once
// The Hub's environment variables, which the reference client reads as well.

#include <filesystem>
#include <string>
#include <vector>

#include "common/base/environment.h"

namespace lq::net {

struct HubSettings {
  std::string endpoint = "https://huggingface.co";  // no trailing slash
  std::filesystem::path home;                       // HF_HOME
  std::filesystem::path cache;                      // HF_HUB_CACHE
  std::filesystem::path token_file;                 // HF_TOKEN_PATH
  bool offline = false;
  bool symlinks = true;                   // in the shared cache
  std::filesystem::path ca_file, ca_dir;  // certificates to trust; empty = the system's
  double download_timeout_seconds = 10;   // a stall; raised, never lowered
  double api_timeout_seconds = 30;        // of a whole call; raised, never lowered
};

/// Throws UsageError: an endpoint that is no http(s) address.
HubSettings hub_settings(const base::Environment& environment);

/// "1", "ON", "YES", "TRUE" in any case.
bool is_true(const std::string& value);

}  // namespace lq::net

#include "common/cli/version.h"

#include <cstdlib>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/crypto.h>
#include <spdlog/version.h>

#include "lq_commit.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace lq::cli {
namespace {

/// Of the processor that runs this, as far as they matter to number crunching.
std::string instruction_sets() {
  std::string found;
  [[maybe_unused]] const auto add = [&](bool has, const char* name) {
    if (has) found += (found.empty() ? "" : " ") + std::string(name);
  };
#if defined(__x86_64__)
  __builtin_cpu_init();
  add(__builtin_cpu_supports("sse4.2") != 0, "SSE4.2");
  add(__builtin_cpu_supports("avx2") != 0, "AVX2");
  add(__builtin_cpu_supports("fma") != 0, "FMA");
  add(__builtin_cpu_supports("avx512f") != 0, "AVX-512F");
  add(__builtin_cpu_supports("avx512bw") != 0, "AVX-512BW");
  add(__builtin_cpu_supports("avx512vnni") != 0, "AVX-512VNNI");
  add(__builtin_cpu_supports("avx512bf16") != 0, "AVX-512BF16");
#elif defined(__aarch64__)
  const unsigned long capabilities = getauxval(AT_HWCAP);
  add((capabilities & (1UL << 1U)) != 0, "NEON");
  add((capabilities & (1UL << 20U)) != 0, "DOTPROD");
  add((capabilities & (1UL << 22U)) != 0, "SVE");
#endif
  return found.empty() ? "none known" : found;
}

}  // namespace

std::string_view version() { return LQ_VERSION; }

std::string_view commit() { return LQ_COMMIT; }

std::string version_text(const std::string& tool, bool details) {
  std::string text = fmt::format(
      "{} (lq) {}\nLicense MIT: you are free to change and redistribute it.\n"
      "There is NO WARRANTY, to the extent permitted by law.\n",
      tool, version());
  if (!details) return text;
  const char* simd = std::getenv("LQ_SIMD");
  text += fmt::format("\ncommit: {}\n", commit().empty() ? "unknown" : commit());
  text += fmt::format("compiler: GCC {}\n", __VERSION__);
  text += fmt::format("instruction sets: {}{}\n", instruction_sets(),
                      simd == nullptr ? "" : fmt::format(" (LQ_SIMD={})", simd));
  text += fmt::format(
      "libraries: fmt {}.{}.{}, spdlog {}.{}.{}, nlohmann-json {}.{}.{}, Highway {}, "
      "yaml-cpp {}, {}\n",
      FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100, SPDLOG_VER_MAJOR,
      SPDLOG_VER_MINOR, SPDLOG_VER_PATCH, NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
      NLOHMANN_JSON_VERSION_PATCH, LQ_HIGHWAY_VERSION, LQ_YAML_CPP_VERSION,
      OpenSSL_version(OPENSSL_VERSION));
  return text;
}

}  // namespace lq::cli

#include "common/soundness/soundness.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/gguf/reader.h"
#include "common/io/file_status.h"
#include "common/soundness/directory_checks.h"
#include "common/soundness/gguf_checks.h"
#include "common/soundness/manifest_checks.h"
#include "common/soundness/pass.h"
#include "common/soundness/report.h"

namespace lq::soundness {
namespace {

std::vector<FileJob> jobs_of(std::span<const std::filesystem::path> files) {
  std::vector<FileJob> jobs(files.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].path = files[i];
  return jobs;
}

void run(std::vector<FileJob>& jobs, const Options& options, Report& report) {
  run_pass(jobs, options.n_threads, options.keep_going);
  for (const FileJob& job : jobs) {
    for (const base::ValidationError& error : job.errors) {
      report.error("container", error, kAllRuntimes);
    }
  }
}

/// "Q4_K 37, Q6_K 5", the most common first.
std::string listed_types(std::vector<std::pair<std::string, std::size_t>> types) {
  std::ranges::stable_sort(types, std::ranges::greater(), &decltype(types)::value_type::second);
  std::vector<std::string> texts;
  for (const auto& [name, n] : types) texts.push_back(fmt::format("{} {}", name, n));
  return fmt::format("{}", fmt::join(texts, ", "));
}

void describe_gguf(const gguf::Reader& reader, Soundness& result) {
  std::map<std::string, std::size_t> counts, quantized;
  for (const gguf::TensorInfo& tensor : reader.tensors()) {
    const codec::Codec& type = codec::codec(tensor.type);
    ++counts[std::string(type.name)];
    if (tensor.dims.size() > 1) quantized[std::string(type.name)] += tensor.n_elems;
  }
  const auto most =
      std::ranges::max_element(quantized, {}, [](const auto& row) { return row.second; });
  if (most != quantized.end()) result.format = most->first;
  result.scheme = listed_types({counts.begin(), counts.end()});
  result.n_tensors = reader.tensors().size();
  result.n_bytes = reader.file_bytes();
  const auto* const name = reader.metadata().get<std::string>("general.architecture");
  if (name != nullptr) result.architecture = base::escape_controls(*name);
}

Soundness check_gguf(const std::filesystem::path& path, const Options& options) {
  Soundness result;
  result.container = "GGUF";
  Report report;
  std::unique_ptr<const gguf::Reader> reader;
  report.attempt("container", kAllRuntimes,
                 [&] { reader = std::make_unique<const gguf::Reader>(path); });
  std::vector<FileJob> jobs =
      reader ? jobs_of(reader->files()) : jobs_of(std::span(&path, std::size_t{1}));
  ManifestChecks manifest;
  for (const FileJob& job : jobs) {
    manifest.read(job.path.string() + ".lq.json", io::directory_of(job.path), report);
  }
  std::optional<GgufChecks> checks;
  if (reader) {
    describe_gguf(*reader, result);
    checks.emplace(*reader);
    checks->check_headers(report);
    checks->add_segments(jobs);
  }
  manifest.add_jobs(jobs);
  run(jobs, options, report);
  if (checks) checks->judge(report);
  manifest.judge(jobs, report);
  if (!report.has_fault()) report.throw_unsupported();
  result.findings = report.findings();
  result.has_manifest = manifest.found();
  result.runtimes = gguf_verdicts(report);
  return result;
}

Soundness check_directory(const std::filesystem::path& dir, const Options& options) {
  Soundness result;
  result.container = "Hugging Face directory";
  Report report;
  DirectoryChecks checks(dir, report);
  ManifestChecks manifest;
  manifest.read(dir / "lq-manifest.json", dir, report);
  std::vector<FileJob> jobs = jobs_of(checks.files());
  checks.add_segments(jobs);
  manifest.add_jobs(jobs);
  run(jobs, options, report);
  checks.judge(report);
  manifest.judge(jobs, report);
  if (!report.has_fault()) report.throw_unsupported();
  result.findings = report.findings();
  result.has_manifest = manifest.found();
  result.runtimes = checks.verdicts(report);
  result.format = checks.format();
  result.scheme = checks.scheme();
  result.architecture = checks.architecture();
  result.n_tensors = checks.n_tensors();
  for (const std::filesystem::path& file : checks.files()) {
    result.n_bytes += io::file_status(file).value_or(io::FileStatus{}).size;
  }
  return result;
}

}  // namespace

bool Soundness::is_sound() const {
  return std::ranges::find(findings, base::Weight::kFault, &base::Finding::weight) ==
         findings.end();
}

Soundness check(const std::filesystem::path& path, const Options& options) {
  const std::optional<io::FileStatus> status = io::file_status(path);
  if (!status) {
    throw base::ModelNotFoundError(fmt::format("cannot open the model {}", base::shown(path)),
                                   "there is no such file or directory",
                                   "give the path of a model directory or of a GGUF file");
  }
  return status->is_directory ? check_directory(path, options) : check_gguf(path, options);
}

}  // namespace lq::soundness

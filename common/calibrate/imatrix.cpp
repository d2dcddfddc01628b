#include "common/calibrate/imatrix.h"

#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/calibration/importance_sums.h"
#include "common/io/atomic_file.h"
#include "common/io/file_status.h"
#include "common/io/input_file.h"
#include "common/stage/preflight.h"

namespace lq::calibrate {
namespace {

bool is_importance_matrix(const std::filesystem::path& path) {
  try {
    calibration::read_importance(path);
    return true;
  } catch (const base::QuantizationError&) {
    return false;
  }
}

bool holds(const std::filesystem::path& path, const std::string& bytes) {
  const auto status = io::file_status(path);
  return status && status->is_regular && status->size == bytes.size() &&
         io::read_text_file(path) == bytes;
}

}  // namespace

void require_imatrix_place(const stage::Plan& plan, const std::filesystem::path& path, bool force) {
  stage::check_side_file(plan, path, "--imatrix");
  const auto status = io::file_status(path);
  if (status && !status->is_regular) {
    throw base::OutputError(fmt::format("cannot write {}", base::shown(path)),
                            "what is there is not a regular file", "choose another --imatrix");
  }
  if (!status || force || is_importance_matrix(path)) return;
  throw base::OutputError(fmt::format("cannot write {}", base::shown(path)),
                          "a file is there that is no importance matrix",
                          "choose another --imatrix, or replace it with --force");
}

void write_imatrix(const Job& job, const std::filesystem::path& path) {
  const calibration::CalibrationDirectory calibration(job.plan.results.front().path);
  const calibration::ImportanceSums sums = calibration::importance_sums(
      calibration, *job.checkpoint.architecture, job.checkpoint.config.tied_embeddings);
  const std::string bytes = calibration::importance_file(sums, path);
  if (!holds(path, bytes)) {
    io::write_file_atomically(path, bytes);
    return;
  }
  // As old as it may be, it is what this run would write: make is told so.
  const auto file = io::file_status(path);
  const auto made = io::file_status(calibration.path() / calibration::kDescriptionFile);
  if (file && made && file->mtime_ns < made->mtime_ns) io::set_mtime(path, made->mtime_ns);
}

}  // namespace lq::calibrate

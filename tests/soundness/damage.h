#pragma once
// Damages as rows of a table, and the run through them: each result is damaged once where its hash is
// known (by a manifest) and once where it is not.

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/io/digest.h"
#include "common/stage/manifest.h"
#include "tests/soundness/shown.h"
#include "tests/support/scratch.h"

namespace lq::testing {

struct Damage {
  const char* name;
  std::function<void(const std::filesystem::path& result)> damage;
  /// The check and a part of what it says, without a hash; empty: it cannot be told without one.
  const char* check = "";
  const char* what = "";
  int code = 6;                // without a hash
  bool is_of_recorded = true;  // a file that the manifest records
};

inline void overwrite(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}
template <class Edit>
void edit_file(const std::filesystem::path& file, const Edit& edit) {
  std::string bytes = read_file(file);
  edit(bytes);
  overwrite(file, bytes);
}
template <class Edit>
void edit_json(const std::filesystem::path& file, const Edit& edit) {
  nlohmann::json json = nlohmann::json::parse(read_file(file));
  edit(json);
  overwrite(file, json.dump());
}
inline void flip(const std::filesystem::path& file, std::uint64_t at, unsigned char mask = 0xFF) {
  edit_file(file, [&](std::string& bytes) {
    bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ mask);
  });
}
template <class T>
void poke(const std::filesystem::path& file, std::uint64_t at, T value) {
  edit_file(file, [&](std::string& bytes) { std::memcpy(bytes.data() + at, &value, sizeof(T)); });
}
inline void replace_text(const std::filesystem::path& file, const std::string& from,
                         const std::string& to) {
  edit_file(file, [&](std::string& bytes) {
    const std::size_t at = bytes.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    bytes.replace(at, from.size(), to);
  });
}

/// A manifest of ours with these files.
inline void record(const std::filesystem::path& manifest,
                   const std::vector<std::filesystem::path>& files) {
  std::vector<stage::FileRecord> outputs;
  for (const std::filesystem::path& file : files) {
    const std::string bytes = read_file(file);
    outputs.push_back(
        {file.filename(), bytes.size(), 1, io::sha256_hex(std::as_bytes(std::span(bytes)))});
  }
  stage::write_manifest(manifest, {{"schema", "lq-manifest/1"},
                                   {"tool", "lq-quant-gguf"},
                                   {"fingerprint", "0"},
                                   {"inputs", nlohmann::json::array()},
                                   {"outputs", stage::outputs_record(outputs)}});
}

struct Judged {
  int code = 0;
  std::string text;
};
inline Judged judged(const std::filesystem::path& result) {
  try {
    const soundness::Soundness soundness = soundness::check(result, {.n_threads = 2});
    return {soundness.is_sound() ? 0 : 6, shown(soundness)};
  } catch (const base::QuantizationError& error) {
    return {static_cast<int>(error.exit_code()), error.what() + (": " + error.why())};
  }
}

/// `make` writes a sound result below a directory and returns its path; `record_it` writes its
/// manifest.
inline void run_damages(const std::vector<Damage>& damages,
                        const std::function<std::filesystem::path(const ScratchDirectory&)>& make,
                        const std::function<void(const std::filesystem::path&)>& record_it) {
  for (const Damage& row : damages) {
    for (const bool is_recorded : {false, true}) {
      SCOPED_TRACE(std::string(row.name) + (is_recorded ? ", hash known" : ", hash unknown"));
      const ScratchDirectory scratch;
      const std::filesystem::path result = make(scratch);
      if (is_recorded) record_it(result);
      const Judged before = judged(result);
      ASSERT_EQ(before.code, 0) << before.text;
      row.damage(result);
      const Judged after = judged(result);
      const bool by_hash = is_recorded && row.is_of_recorded;
      EXPECT_EQ(after.code, by_hash ? 6 : row.code) << after.text;
      if (*row.check == '\0') {
        EXPECT_EQ(after.text.find("fault ") == std::string::npos, !by_hash) << after.text;
      } else {
        EXPECT_NE(after.text.find(fmt::format("fault {} [", row.check)), std::string::npos)
            << after.text;
        EXPECT_NE(after.text.find(row.what), std::string::npos) << after.text;
      }
      if (by_hash) {
        EXPECT_NE(after.text.find("fault manifest ["), std::string::npos) << after.text;
      }
    }
  }
}

}  // namespace lq::testing

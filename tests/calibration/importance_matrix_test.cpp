#include "common/calibration/importance_matrix.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <numeric>

#include "common/gguf/layout.h"
#include "tests/support/scratch.h"

namespace lq::calibration {
namespace {

using testing::error_of;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::string bytes_of(const auto& values) {
  std::string bytes;
  for (const std::byte byte : std::as_bytes(std::span(values))) bytes += static_cast<char>(byte);
  return bytes;
}

std::string i32(std::int32_t value) { return bytes_of(std::vector<std::int32_t>{value}); }

// An entry of the .dat form; `values` as stored, which is mean * n_calls.
std::string dat_entry(const std::string& name, std::int32_t n_calls,
                      const std::vector<float>& values) {
  return i32(static_cast<std::int32_t>(name.size())) + name + i32(n_calls) +
         i32(static_cast<std::int32_t>(values.size())) + bytes_of(values);
}

// The .dat form of a whole matrix.
std::string as_dat(const ImportanceMatrix& matrix, std::int32_t n_calls) {
  std::string dat = i32(static_cast<std::int32_t>(matrix.entries.size()));
  for (const auto& [name, entry] : matrix.entries) {
    std::vector<float> stored = entry.values;
    for (float& value : stored) value *= static_cast<float>(n_calls);
    dat += dat_entry(name, n_calls, stored);
  }
  const std::string dataset = matrix.datasets.at(0);
  return dat + i32(static_cast<std::int32_t>(matrix.n_chunks)) +
         i32(static_cast<std::int32_t>(dataset.size())) + dataset;
}

struct F32Tensor {
  std::string name;
  std::vector<std::uint64_t> dims;
  std::vector<float> values;
};

// The GGUF form made of these tensors.
std::string as_gguf(const std::vector<F32Tensor>& tensors, const std::string& type = "imatrix") {
  gguf::Metadata metadata;
  metadata.set("general.type", type);
  metadata.set("imatrix.datasets", std::vector<std::string>{"one.txt", "two.txt"});
  metadata.set("imatrix.chunk_count", std::uint32_t{3});
  std::vector<gguf::TensorSpec> specs;
  for (const F32Tensor& tensor : tensors) {
    specs.push_back({tensor.name, tensor.dims, codec::QuantType::kF32});
  }
  const gguf::Layout layout = gguf::lay_out(metadata, specs);
  std::string file = bytes_of(layout.header);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    file.resize(layout.offsets[i]);
    file += bytes_of(tensors[i].values);
  }
  file.resize(layout.file_bytes);
  return file;
}

class ImportanceTest : public ::testing::Test {
 protected:
  ImportanceMatrix read(const std::string& bytes) {
    return read_importance(scratch_.write("m.imatrix", bytes));
  }
  std::string why(const std::string& bytes) {
    const auto error = error_of<base::ValidationError>([&] { read(bytes); });
    EXPECT_NE(std::string(error.what()).find("m.imatrix"), std::string::npos);
    return error.why();
  }

  testing::ScratchDirectory scratch_;
};

TEST_F(ImportanceTest, AFileOfLlamaCppIsRead) {
  const ImportanceMatrix matrix = read_importance(LQ_TEST_DATA "/tiny-llama.imatrix.gguf");
  EXPECT_EQ(matrix.entries.size(), 42U);
  EXPECT_EQ(matrix.n_chunks, 47U);
  EXPECT_EQ(matrix.datasets, std::vector<std::string>{"calibration.txt"});
  const ImportanceEntry* entry = matrix.find("blk.0.attn_k.weight");
  ASSERT_NE(entry, nullptr);
  ASSERT_EQ(entry->values.size(), 256U);
  EXPECT_FLOAT_EQ(entry->values[0], 0.0073444315F);
  EXPECT_FLOAT_EQ(entry->values[17], 0.0030969596F);
  entry = matrix.find("blk.3.ffn_down.weight");
  ASSERT_NE(entry, nullptr);
  ASSERT_EQ(entry->values.size(), 768U);
  EXPECT_NEAR(std::accumulate(entry->values.begin(), entry->values.end(), 0.0) / 768, 0.19780080,
              1e-6);
  EXPECT_EQ(matrix.find("token_embd.weight"), nullptr);
}

TEST_F(ImportanceTest, BothFormsOfAMatrixAreTheSame) {
  const ImportanceMatrix matrix = read_importance(LQ_TEST_DATA "/tiny-llama.imatrix.gguf");
  // A power of two, so that nothing is rounded on the way.
  const ImportanceMatrix again = read(as_dat(matrix, 32));
  EXPECT_EQ(again.datasets, matrix.datasets);
  EXPECT_EQ(again.n_chunks, matrix.n_chunks);
  ASSERT_EQ(again.entries.size(), matrix.entries.size());
  for (const auto& [name, entry] : matrix.entries) {
    EXPECT_EQ(again.find(name)->values, entry.values) << name;
  }
}

TEST_F(ImportanceTest, DatValuesAreDividedByTheCalls) {
  const ImportanceMatrix matrix = read(i32(2) + dat_entry("a", 4, {8, 2}) + dat_entry("b", 0, {5}));
  EXPECT_EQ(matrix.find("a")->values, (std::vector<float>{2, 0.5F}));
  EXPECT_EQ(matrix.find("b")->values, std::vector<float>{5});
  EXPECT_TRUE(matrix.datasets.empty());
  EXPECT_EQ(matrix.n_chunks, 0U);
}

TEST_F(ImportanceTest, EachExpertHasItsOwnCount) {
  const ImportanceMatrix matrix = read(as_gguf({{"e.in_sum2", {2, 3}, {2, 4, 9, 9, 5, 10}},
                                                {"e.counts", {1, 3}, {2, 0, 5}},
                                                {"one.in_sum2", {2, 2}, {2, 4, 6, 8}},
                                                {"one.counts", {1}, {2}},
                                                {"e.in_sum", {2, 3}, {0, 0, 0, 0, 0, 0}}}));
  EXPECT_EQ(matrix.entries.size(), 2U);
  EXPECT_EQ(matrix.find("e")->values, (std::vector<float>{1, 2, 1, 1, 1, 2}));
  EXPECT_EQ(matrix.find("one")->values, (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(matrix.datasets, (std::vector<std::string>{"one.txt", "two.txt"}));
  EXPECT_EQ(matrix.n_chunks, 3U);
}

TEST_F(ImportanceTest, RejectsGgufFilesThatAreNoMatrix) {
  EXPECT_EQ(why(as_gguf({{"a.in_sum2", {1}, {1}}, {"a.counts", {1}, {1}}}, "model")),
            "it is a GGUF file of another kind: its general.type is not \"imatrix\"");
  EXPECT_EQ(why(as_gguf({})), "it has no entries");
  EXPECT_EQ(why(as_gguf({{"a.in_sum2", {1}, {1}}})), "`a` has sums but no counts");
  EXPECT_EQ(why(as_gguf({{"a.in_sum2", {1, 3}, {1, 1, 1}}, {"a.counts", {1, 2}, {1, 1}}})),
            "`a` has sums for 3 matrices, but counts for 2");
}

TEST_F(ImportanceTest, RejectsValuesThatAreNoImportance) {
  EXPECT_EQ(why(as_gguf({{"a.in_sum2", {2}, {1, -1}}, {"a.counts", {1}, {1}}})),
            "the entry of `a` has the value -1 in column 1");
  EXPECT_EQ(why(as_gguf({{"a.in_sum2", {1}, {kInfinity}}, {"a.counts", {1}, {1}}})),
            "the entry of `a` has the value inf in column 0");
  EXPECT_EQ(why(as_gguf({{"a.in_sum2", {1}, {1}}, {"a.counts", {1}, {-2}}})),
            "the entry of `a` has the value -0.5 in column 0");
  EXPECT_EQ(why(i32(1) + dat_entry("a", 1, {1, 0, NAN})),
            "the entry of `a` has the value nan in column 2");
}

TEST_F(ImportanceTest, RejectsDatFilesThatEndTooEarlyAnywhere) {
  const std::string whole = i32(1) + dat_entry("name", 1, {1, 2}) + i32(3) + i32(4) + "data";
  EXPECT_EQ(read(whole).datasets, std::vector<std::string>{"data"});
  const std::size_t end_of_entries = whole.size() - 12;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    if (n == end_of_entries) continue;  // where the oldest files end
    EXPECT_FALSE(why(whole.substr(0, n)).empty()) << n;
  }
  EXPECT_EQ(why(whole.substr(0, 5)), "it is truncated: it ends inside the name of an entry");
  EXPECT_EQ(why(whole + "x"), "1 bytes trail after its end");
}

TEST_F(ImportanceTest, RejectsDatFilesWhoseLengthsLie) {
  EXPECT_EQ(why(i32(0)), "it claims 0 entries");
  EXPECT_EQ(why(i32(-3)), "it claims -3 entries");
  EXPECT_EQ(why(i32(1) + i32(-1)), "the name of an entry claims a length of -1");
  EXPECT_EQ(why(i32(1) + i32(2147483647) + "name"),
            "the name of an entry claims a length of 2147483647, more than the 4 bytes left in the "
            "file can hold");
  EXPECT_EQ(why(i32(1) + i32(1) + "a" + i32(1) + i32(2) + bytes_of(std::vector<float>{1})),
            "the entry of `a` claims a length of 2, more than the 4 bytes left in the file can "
            "hold");
  EXPECT_EQ(why(i32(1) + dat_entry("a", 1, {})), "the entry of `a` has no values");
  EXPECT_EQ(why(i32(1) + dat_entry("", 1, {1})), "an entry has no name");
  EXPECT_EQ(why(i32(2) + dat_entry("a", 1, {1}) + dat_entry("a", 1, {1})),
            "the entry of `a` appears twice");
}

TEST_F(ImportanceTest, AMissingFileIsNotFound) {
  error_of<base::ModelNotFoundError>([&] { read_importance(scratch_.path() / "none"); });
}

TEST(FloorImportance, SilentColumnsAreRaisedToAFractionOfTheMean) {
  std::vector<float> values = {0, 4, 0, 8, 1e-9F, 6, 0, 6};
  EXPECT_EQ(floor_importance(values), 4U);
  const float floor = kImportanceFloor * 3;
  EXPECT_FLOAT_EQ(values[0], floor);
  EXPECT_FLOAT_EQ(values[4], floor);
  EXPECT_EQ(values[3], 8.0F);
}

TEST(FloorImportance, WithoutAnyImportanceAllColumnsCountTheSame) {
  std::vector<float> values = {0, 0, 0};
  EXPECT_EQ(floor_importance(values), 3U);
  EXPECT_EQ(values, (std::vector<float>{1, 1, 1}));
}

}  // namespace
}  // namespace lq::calibration

#include "common/quantizer/directory_units.h"

#include <gtest/gtest.h>
#include <map>
#include <set>

#include "common/hf/quantized_weights.h"
#include "tests/hf/stored_formats.h"
#include "tests/model/checkpoint_files.h"

namespace lq::quantizer {
namespace {

using model::TensorRole;
using testing::read_file;
using testing::ScratchDirectory;

constexpr hf::Scheme kScheme{4, 32, true};

/// Takes the bytes of units and puts them where the plan says.
class Files : public stage::UnitSink {
 public:
  explicit Files(const stage::Plan& plan) : plan_(plan) {
    for (const stage::OutputFile& file : plan.results.front().files) {
      contents_.emplace_back(file.is_open() ? 0 : file.size, '\0');
    }
  }
  void begin(std::size_t unit) { unit_ = &plan_.units[unit]; }
  bool wanted(std::size_t result) const override { return result == 0; }
  void write(std::size_t result, std::span<const std::byte> bytes) override {
    ASSERT_EQ(result, 0U);
    const stage::Extent& place = unit_->extents.front();
    std::string& content = contents_[place.file];
    if (place.size == stage::kOpenSize) {
      content.resize(bytes.size());
    } else {
      ASSERT_EQ(bytes.size(), place.size) << unit_->name;
    }
    ASSERT_LE(place.offset + bytes.size(), content.size()) << unit_->name;
    std::ranges::transform(bytes, content.begin() + static_cast<std::ptrdiff_t>(place.offset),
                           [](std::byte byte) { return static_cast<char>(byte); });
  }
  void write_to(const ScratchDirectory& scratch) const {
    for (std::size_t i = 0; i < contents_.size(); ++i) {
      scratch.write(plan_.results.front().files[i].path.string(), contents_[i]);
    }
  }

 private:
  const stage::Plan& plan_;
  const stage::Unit* unit_ = nullptr;
  std::vector<std::string> contents_;
};

/// down_proj of both layers, and a group of which nothing is quantized between them.
class Units : public ::testing::Test {
 protected:
  Units() {
    nlohmann::json config = testing::small_config();
    auto shapes = testing::small_shapes(config);
    shapes["mtp.fc.weight"] = {32, 32};
    checkpoint_.emplace(model::open_checkpoint(testing::write_model(source_, config, shapes)));
    source_.write("merges.txt", "a b");
    request_.checkpoint = &*checkpoint_;
    request_.format = hf::find_format("gptq");
    request_.facts.scheme = kScheme;
    request_.facts.quantizer = "test:1";
    for (const int layer : {0, 1}) {
      const std::string at = "model.layers." + std::to_string(layer) + ".";
      request_.facts.modules.push_back(
          {at + "mlp.down_proj", TensorRole::kFfnDown, layer, 32, 64, kScheme});
      request_.facts.modules.push_back(
          {at + "self_attn.o_proj", TensorRole::kAttnOutput, layer, 32, 32});
    }
    request_.groups = {{0}, {1, 3}, {2}};
    plan_.results.emplace_back();
    units_.emplace(request_);
    units_->add_to(plan_, {"first", "float", "second"}, {10, 20, 30});
  }

  static tensor::QuantizedMatrix matrix(std::size_t group) {
    return testing::random_matrix(32, 64, kScheme, 1, static_cast<unsigned>(group) + 1);
  }

  ScratchDirectory source_;
  std::optional<model::Checkpoint> checkpoint_;
  hf::DirectoryRequest request_;
  stage::Plan plan_;
  std::optional<DirectoryUnits> units_;
};

TEST_F(Units, MakeEveryByteOfTheDirectory) {
  Files files(plan_);
  std::vector<std::pair<std::size_t, std::size_t>> made;  // units and groups
  const DirectoryUnits::Makers makers = {.group =
                                             [&](std::size_t unit, std::size_t group) {
                                               made.emplace_back(unit, group);
                                               return hf::GroupContents{{matrix(group)}, {}};
                                             },
                                         .model_card = [] { return "# A card\n"; }};
  for (std::size_t unit = 0; unit < plan_.units.size(); ++unit) {
    files.begin(unit);
    units_->run(unit, files, makers, 2);
  }
  EXPECT_EQ(made, (std::vector<std::pair<std::size_t, std::size_t>>{
                      {units_->unit_of_group(0), 0}, {units_->unit_of_group(2), 2}}));
  const ScratchDirectory out;
  files.write_to(out);
  EXPECT_EQ(read_file(out.path() / "README.md"), "# A card\n");
  EXPECT_EQ(read_file(out.path() / "tokenizer.json"), read_file(source_.path() / "tokenizer.json"));
  const model::Checkpoint result = model::open_checkpoint(out.path());
  const hf::QuantizedWeights weights(result);
  for (const int layer : {0, 1}) {
    std::vector<float> values(64);
    weights.read({TensorRole::kFfnDown, layer}, 64, values);
    const tensor::QuantizedMatrix wanted = matrix(layer == 0 ? 0 : 2);
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], wanted.value(1, i));
    weights.read({TensorRole::kAttnOutput, layer}, 5, std::span(values).first(1));
    EXPECT_EQ(values.front(), 5);
  }
  EXPECT_NE(result.weights->find("mtp.fc.weight"), nullptr);
}

TEST_F(Units, AreNamedAndOrderedGroupsBehindWhatIsKnownAndTheModelCardLast) {
  std::vector<std::string> names;
  for (const stage::Unit& unit : plan_.units) names.push_back(unit.name);
  EXPECT_EQ(std::set(names.begin(), names.end()).size(), names.size());
  EXPECT_EQ(names.front(), "header of model.safetensors");
  EXPECT_EQ(names[1], "config.json");
  const std::size_t n = names.size();
  EXPECT_EQ((std::vector(names.end() - 3, names.end())),
            (std::vector<std::string>{"first", "second", "README.md"}));
  EXPECT_EQ(units_->unit_of_group(0), n - 3);
  EXPECT_EQ(units_->unit_of_group(2), n - 2);
  EXPECT_TRUE(units_->has_unit(0));
  EXPECT_FALSE(units_->has_unit(1));
  EXPECT_EQ(plan_.units[n - 3].cost, 10);
  EXPECT_EQ(plan_.units[n - 2].cost, 30);
  for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(plan_.units[i].concluding, i == n - 1);
  EXPECT_NE(std::ranges::find(names, "model.norm.weight"), names.end());
  EXPECT_NE(std::ranges::find(names, "mtp.fc.weight"), names.end());
}

TEST_F(Units, NamePiecesOfLargeTensorsByTheirElements) {
  auto shapes = testing::small_shapes(testing::small_config());
  shapes["tower.weight"] = {65 * 1024, 256};
  const ScratchDirectory source;
  const model::Checkpoint checkpoint =
      model::open_checkpoint(testing::write_model(source, testing::small_config(), shapes));
  request_.checkpoint = &checkpoint;
  stage::Plan plan;
  plan.results.emplace_back();
  DirectoryUnits units(request_);
  units.add_to(plan, {"a", "b", "c"}, {1, 1, 1});
  std::vector<std::string> names;
  for (const stage::Unit& unit : plan.units) {
    if (unit.name.starts_with("tower")) names.push_back(unit.name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"tower.weight[0:16777216]",
                                             "tower.weight[16777216:17039360]"}));
}

}  // namespace
}  // namespace lq::quantizer

#include "common/net/shard_index.h"

#include <fmt/format.h>
#include <utility>

#include "common/base/text.h"
#include "common/io/json_events.h"
#include "common/io/safe_path.h"
#include "common/net/repo_files.h"

namespace lq::net {
namespace {

class IndexEvents final : public io::JsonEvents {
 public:
  explicit IndexEvents(const std::string& subfolder) : prefix_(folder_prefix(subfolder)) {}

  std::set<std::string> read(const std::string& text) {
    parse(text, fmt::format("cannot read {}{}", base::escape_controls(prefix_), kIndexName));
    if (!has_map_) fail("it has no `weight_map`");
    if (shards_.empty()) fail("its `weight_map` is empty");
    return std::move(shards_);
  }

 protected:
  using Kind = io::JsonValue::Kind;

  void value(const io::JsonValue& value) override {
    if (key(0) != "weight_map") return;
    if (depth() == 1) {
      if (value.kind != Kind::kObject) fail("its `weight_map` is no object");
      has_map_ = true;
    } else {
      add_shard(value);
    }
  }

 private:
  void add_shard(const io::JsonValue& value) {
    const std::string tensor = base::escape_controls(key(1));
    if (value.kind != Kind::kString) {
      fail(fmt::format("its `weight_map` gives no file name for tensor `{}`", tensor));
    }
    const std::string path = prefix_ + std::string(value.text);
    const std::string shown = base::escape_controls(value.text);
    // The name alone, so that an absolute one stays so, and the path for its length.
    auto problem = io::path_problem(value.text);
    if (!problem) problem = io::path_problem(path);
    if (problem) fail(fmt::format("the file `{}` of tensor `{}` {}", shown, tensor, *problem));
    if (!value.text.ends_with(".safetensors")) {
      fail(fmt::format("the file `{}` of tensor `{}` is no .safetensors file", shown, tensor));
    }
    shards_.insert(path);
  }

  std::string prefix_;
  std::set<std::string> shards_;
  bool has_map_ = false;
};

}  // namespace

std::set<std::string> shards_of_index(const std::string& index_text, const std::string& subfolder) {
  return IndexEvents(subfolder).read(index_text);
}

}  // namespace lq::net

#include "tests/peers/llama/importance_file.h"

#include <cstring>
#include <span>
#include <stdexcept>
#include <string_view>

#include "tests/peers/llama/files.h"
#include "tests/peers/llama/llama_api.h"

namespace peer {
namespace {

constexpr std::string_view kSquares = ".in_sum2", kCounts = ".counts";
constexpr std::size_t kAlignment = 32;
constexpr std::uint32_t kUint32 = 4, kString = 8, kArray = 9;  // GGUF value types

/// Reads values one after the other from a file held in memory.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}
  std::string_view take(std::size_t size) {
    if (size > bytes_.size()) throw std::runtime_error("the importance file is cut short");
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  std::size_t count() {
    std::int32_t value = 0;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    if (value < 0) throw std::runtime_error("a negative count in the importance file");
    return static_cast<std::size_t>(value);
  }
  std::vector<float> floats(std::size_t n) {
    std::vector<float> values(n);
    std::memcpy(values.data(), take(n * sizeof(float)).data(), n * sizeof(float));
    return values;
  }

 private:
  std::string_view bytes_;
};

Importance read_old_layout(std::string_view bytes) {
  Importance importance;
  Cursor cursor(bytes);
  for (std::size_t left = cursor.count(); left > 0; --left) {
    const std::string name(cursor.take(cursor.count()));
    const std::size_t calls = cursor.count();
    std::vector<float> values = cursor.floats(cursor.count());
    if (calls > 0) {
      for (float& value : values) value /= static_cast<float>(calls);
    }
    importance[name] = std::move(values);
  }
  return importance;
}

Importance read_gguf_layout(const std::string& path, std::string_view bytes) {
  GgufFile* file = gguf_init_from_file(path.c_str(), GgufInit{true, nullptr});
  if (file == nullptr) throw std::runtime_error("not a GGUF file: " + path);
  std::map<std::string, std::vector<float>, std::less<>> tensors;
  const std::size_t base = gguf_get_data_offset(file);
  for (std::int64_t i = 0; i < gguf_get_n_tensors(file); ++i) {
    Cursor cursor(bytes.substr(base + gguf_get_tensor_offset(file, i)));
    tensors[gguf_get_tensor_name(file, i)] =
        cursor.floats(gguf_get_tensor_size(file, i) / sizeof(float));
  }
  gguf_free(file);
  Importance importance;
  for (const auto& [name, squares] : tensors) {
    if (!name.ends_with(kSquares)) continue;
    const std::string stem = name.substr(0, name.size() - kSquares.size());
    const std::vector<float>& counts = tensors.at(stem + std::string(kCounts));
    const std::size_t channels = squares.size() / counts.size();
    std::vector<float>& means = importance[stem];
    for (std::size_t i = 0; i < squares.size(); ++i) {
      const float count = counts[i / channels];
      means.push_back(count > 0 ? squares[i] / count : 1.0f);
    }
  }
  return importance;
}

template <class T>
void append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void append_string(std::string& out, std::string_view text) {
  append(out, std::uint64_t{text.size()});
  out += text;
}
void pad(std::string& out) { out.resize((out.size() + kAlignment - 1) / kAlignment * kAlignment); }

/// The tensor part of a GGUF file: descriptions and data grow together.
struct TensorSection {
  std::string infos, data;
  void add(const std::string& name, const std::vector<float>& values) {
    append_string(infos, name);
    append(infos, std::uint32_t{2});
    append(infos, std::uint64_t{values.size()});
    append(infos, std::uint64_t{1});
    append(infos, static_cast<std::uint32_t>(kTypeF32));
    append(infos, std::uint64_t{data.size()});
    data.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    pad(data);
  }
};

}  // namespace

Importance read_importance(const std::string& path) {
  const std::string bytes = read_file(path);
  return bytes.starts_with("GGUF") ? read_gguf_layout(path, bytes) : read_old_layout(bytes);
}

void write_importance(const std::string& path, const std::map<std::string, ChannelSums>& sums,
                      const std::string& dataset, std::uint32_t n_windows, std::uint32_t window) {
  TensorSection tensors;
  for (const auto& [name, entry] : sums) {
    tensors.add(name + std::string(kSquares),
                std::vector<float>(entry.squares.begin(), entry.squares.end()));
    tensors.add(name + std::string(kCounts), {static_cast<float>(entry.rows)});
  }
  std::string out = "GGUF";
  append(out, std::uint32_t{3});
  append(out, std::uint64_t{2 * sums.size()});
  append(out, std::uint64_t{4});
  append_string(out, "general.type");
  append(out, kString);
  append_string(out, "imatrix");
  append_string(out, "imatrix.datasets");
  append(out, kArray);
  append(out, kString);
  append(out, std::uint64_t{1});
  append_string(out, dataset);
  append_string(out, "imatrix.chunk_count");
  append(out, kUint32);
  append(out, n_windows);
  append_string(out, "imatrix.chunk_size");
  append(out, kUint32);
  append(out, window);
  out += tensors.infos;
  pad(out);
  out += tensors.data;
  write_file(path, out);
}

}  // namespace peer

// Commands on GGUF files: what the library is, what a file holds, and the library's own quantizer.

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <sys/resource.h>
#include <vector>

#include "tests/peers/llama/commands.h"
#include "tests/peers/llama/importance_file.h"
#include "tests/peers/llama/llama_api.h"

namespace peer {
namespace {

template <class T>
std::string number(const void* data) {
  T value{};
  std::memcpy(&value, data, sizeof value);
  return fmt::format("{}", value);
}

std::string value_text(const GgufFile* file, std::int64_t key) {
  const std::int32_t type = gguf_get_kv_type(file, key);
  if (type == 8) return fmt::format("\"{}\"", gguf_get_val_str(file, key));
  if (type == 9) {
    return fmt::format("array of {} x {}", gguf_get_arr_type(file, key), gguf_get_arr_n(file, key));
  }
  const void* data = gguf_get_val_data(file, key);
  switch (type) {
    case 0:
    case 7:
      return fmt::format("{}", int{*static_cast<const std::uint8_t*>(data)});
    case 1:
      return fmt::format("{}", int{*static_cast<const std::int8_t*>(data)});
    case 2:
      return number<std::uint16_t>(data);
    case 3:
      return number<std::int16_t>(data);
    case 4:
      return number<std::uint32_t>(data);
    case 5:
      return number<std::int32_t>(data);
    case 6:
      return number<float>(data);
    case 10:
      return number<std::uint64_t>(data);
    case 11:
      return number<std::int64_t>(data);
    case 12:
      return number<double>(data);
    default:
      return "unknown";
  }
}

double mebibytes(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0.0 : static_cast<double>(size) / (1 << 20);
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

/// REGEX=TYPE,REGEX=TYPE. The names live in `patterns`, which the overrides point into.
std::vector<TypeOverride> type_overrides(const std::string& text,
                                         std::vector<std::string>& patterns) {
  std::vector<std::int32_t> types;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string one = text.substr(begin, end - begin);
    const std::size_t equals = one.find('=');
    if (equals == std::string::npos) throw UsageError();
    patterns.push_back(one.substr(0, equals));
    types.push_back(type_id(one.substr(equals + 1)));
    begin = end + 1;
  }
  std::vector<TypeOverride> overrides;
  for (std::size_t i = 0; i < types.size(); ++i)
    overrides.push_back({patterns[i].c_str(), types[i]});
  overrides.push_back({nullptr, kTypeCount});
  return overrides;
}

}  // namespace

int selfcheck(const Arguments&) {
  fmt::print("library {}\n{}\n", llama_version(), llama_print_system_info());
  for (std::int32_t id = 0; id < kTypeCount; ++id) {
    const TypeTraits* traits = ggml_get_type_traits(id);
    if (traits == nullptr || traits->name == nullptr || traits->block_elems <= 0) continue;
    fmt::print("{:<8} id {:2} block {:3} bytes {:3}\n", traits->name, id, traits->block_elems,
               traits->block_bytes);
  }
  return 0;
}

int info(const Arguments& arguments) {
  GgufFile* file = gguf_init_from_file(arguments.operand(1).c_str(), GgufInit{true, nullptr});
  if (file == nullptr) throw std::runtime_error("not a GGUF file: " + arguments.operand(1));
  for (std::int64_t i = 0; i < gguf_get_n_kv(file); ++i) {
    fmt::print("kv {} type {} {}\n", gguf_get_key(file, i), gguf_get_kv_type(file, i),
               value_text(file, i));
  }
  for (std::int64_t i = 0; i < gguf_get_n_tensors(file); ++i) {
    const std::int64_t* ne = gguf_get_tensor_ne(file, i);
    fmt::print("tensor {} {} [{},{},{}] off {} size {}\n", gguf_get_tensor_name(file, i),
               ggml_get_type_traits(gguf_get_tensor_type(file, i))->name, ne[0], ne[1], ne[2],
               gguf_get_tensor_offset(file, i), gguf_get_tensor_size(file, i));
  }
  gguf_free(file);
  return 0;
}

namespace {

/// A call of the library's quantizer with everything its parameters point to.
struct QuantizeCall {
  explicit QuantizeCall(const Arguments& arguments);
  bool run() const { return llama_model_quantize(in.c_str(), out.c_str(), &params) == 0; }

  std::string in, out;
  Importance importance;
  std::vector<ImportanceEntry> entries;
  std::vector<std::string> patterns;
  std::vector<TypeOverride> overrides;
  QuantizeParams params;
};

QuantizeCall::QuantizeCall(const Arguments& arguments)
    : in(arguments.operand(1)),
      out(arguments.operand(2)),
      overrides(type_overrides(arguments.text("--tensor-type", ""), patterns)),
      params(llama_model_quantize_default_params()) {
  params.file_type = file_type_id(arguments.operand(3));
  params.n_threads = arguments.operand_count() > 5 ? std::stoi(arguments.operand(5)) : 1;
  if (arguments.operand_count() > 4 && arguments.operand(4) != "none") {
    importance = read_importance(arguments.operand(4));
    for (const auto& [name, means] : importance) {
      entries.push_back({name.c_str(), means.data(), means.size()});
    }
    entries.push_back({nullptr, nullptr, 0});
    params.importance = entries.data();
  }
  if (!patterns.empty()) params.types = overrides.data();
  const auto type_option = [&](const char* option, std::int32_t& type) {
    if (arguments.has(option)) type = type_id(arguments.text(option, ""));
  };
  type_option("--output-type", params.output_type);
  type_option("--embd-type", params.embedding_type);
  params.pure = arguments.has("--pure");
  params.allow_requantize = arguments.has("--allow-requantize");
  params.quantize_output = !arguments.has("--leave-output");
}

}  // namespace

int quantize(const Arguments& arguments) {
  const QuantizeCall call(arguments);
  const auto start = std::chrono::steady_clock::now();
  const bool done = call.run();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "{{\"rc\":{},\"type\":\"{}\",\"threads\":{},\"imatrix\":{},\"wall_s\":{:.3f},\"cpu_s\":{:.3f}"
      ","
      "\"peak_rss_mib\":{:.1f},\"in_mib\":{:.2f},\"out_mib\":{:.2f}}}\n",
      done ? 0 : 1, arguments.operand(3), call.params.n_threads, call.importance.size(),
      wall.count(), seconds(usage.ru_utime) + seconds(usage.ru_stime),
      static_cast<double>(usage.ru_maxrss) / 1024.0, mebibytes(call.in), mebibytes(call.out));
  return done ? 0 : 1;
}

int planned_types(const Arguments& arguments) {
  QuantizeCall call(arguments);
  call.params.dry_run = true;
  bool done = false;
  std::istringstream log(capture_log([&] { done = call.run(); }));
  if (!done) throw std::runtime_error("the library refuses to quantize " + call.in);
  // "[  2/ 57] NAME  - [ 256, 2048, 1, 1], type =  f32, size = 2.00 MiB ->  0.41 MiB (q6_K)"
  const std::regex pattern(
      R"(^\[ *\d+/ *\d+\] (\S+) .*type = +(\w+), size =[^(]*(?:\((\w+)\))?.*)");
  std::smatch match;
  for (std::string line; std::getline(log, line);) {
    if (!std::regex_match(line, match, pattern)) continue;
    fmt::print("{} {}\n", match.str(1), match[3].matched ? match.str(3) : match.str(2));
  }
  return 0;
}

}  // namespace peer

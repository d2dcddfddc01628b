#include "common/gguf/value_reader.h"

#include <array>
#include <fmt/format.h>
#include <limits>
#include <type_traits>
#include <utility>

#include "common/base/text.h"
#include "common/gguf/format.h"

namespace lq::gguf {
namespace {

template <class T>
T read_one(Cursor& cursor, const std::string& what) {
  if constexpr (std::is_same_v<T, std::string>) {
    return cursor.string(what, std::numeric_limits<std::uint64_t>::max());
  } else if constexpr (std::is_same_v<T, bool>) {
    return cursor.boolean(what);
  } else {
    return cursor.number<T>(what);
  }
}

template <class T>
Value read_scalar(Cursor& cursor, const std::string& what) {
  return Value(std::in_place_type<T>, read_one<T>(cursor, what));
}

template <class T>
Value read_array(Cursor& cursor, const std::string& what) {
  // A string takes its length field at least.
  constexpr std::uint64_t kMinBytes = std::is_same_v<T, std::string> ? 8 : sizeof(T);
  const std::uint64_t n = cursor.count(what, kMinBytes);
  std::vector<T> values;
  values.reserve(n);
  for (std::uint64_t i = 0; i < n; ++i) values.push_back(read_one<T>(cursor, what));
  return Value(std::in_place_type<std::vector<T>>, std::move(values));
}

using ReadValue = Value (*)(Cursor&, const std::string&);

// By position in Value's list; the first kNumScalarTypes are the scalars.
template <std::size_t... kPosition>
constexpr auto scalar_readers(std::index_sequence<kPosition...>) {
  return std::array<ReadValue, sizeof...(kPosition)>{
      read_scalar<std::variant_alternative_t<kPosition, Value>>...};
}
template <std::size_t... kPosition>
constexpr auto array_readers(std::index_sequence<kPosition...>) {
  return std::array<ReadValue, sizeof...(kPosition)>{
      read_array<std::variant_alternative_t<kPosition, Value>>...};
}

constexpr auto kScalarReaders = scalar_readers(std::make_index_sequence<kNumScalarTypes>());
constexpr auto kArrayReaders = array_readers(std::make_index_sequence<kNumScalarTypes>());

std::size_t position_of(std::uint32_t type, Cursor& cursor, const std::string& what) {
  if (type >= kNumValueTypes) {
    cursor.fail(fmt::format("{} has the unknown type {}", base::escape_controls(what), type));
  }
  return type < kArrayType ? type : type - 1;
}

}  // namespace

Value read_value(Cursor& cursor, const std::string& what) {
  const auto type = cursor.number<std::uint32_t>(what);
  if (type != kArrayType) return kScalarReaders[position_of(type, cursor, what)](cursor, what);
  const auto element_type = cursor.number<std::uint32_t>(what);
  if (element_type == kArrayType) {
    cursor.fail(fmt::format("{} is an array of arrays, which no reader of GGUF accepts",
                            base::escape_controls(what)));
  }
  return kArrayReaders[position_of(element_type, cursor, what)](cursor, what);
}

}  // namespace lq::gguf

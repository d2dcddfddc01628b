#include "common/net/file_check.h"

#include <algorithm>
#include <vector>

#include "common/io/digest.h"
#include "common/io/input_file.h"
#include "common/net/content_hash.h"

namespace lq::net {
namespace {

template <class Hash>
void feed(const io::InputFile& input, Hash& hash, const std::function<void()>& keep_going) {
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  for (std::uint64_t at = 0; at < input.size(); at += buffer.size()) {
    keep_going();
    const auto n =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), input.size() - at));
    input.read_at(at, std::span(buffer).first(n));
    hash.update(std::span<const std::byte>(buffer).first(n));
  }
}

}  // namespace

bool content_is_right(const std::filesystem::path& place, const RepoFile& file,
                      const std::function<void()>& keep_going) {
  const io::InputFile input(place);
  if (input.size() != file.size) return false;
  ContentHash hash(file);
  feed(input, hash, keep_going);
  return hash.is_right();
}

std::string sha256_of(const std::filesystem::path& place, const std::function<void()>& keep_going) {
  const io::InputFile input(place);
  io::Digest hash(io::Digest::Algorithm::kSha256);
  feed(input, hash, keep_going);
  return hash.hex();
}

}  // namespace lq::net

// Header, copy, mask: the copy and the masking go block by block so that the bytes are still in the cache.
#include "outgoing.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "random.hpp"
#include "utf8.hpp"

namespace fastws::engine {
namespace {

constexpr std::size_t kMaskBytes = 4;
constexpr std::size_t kBlock = std::size_t{16}
                               << 10;  // a multiple of the mask: every block begins with its first byte
constexpr unsigned kFin = 0x80;
constexpr unsigned kRsv1 = 0x40;
constexpr unsigned kMasked = 0x80;
constexpr std::size_t kLength16 = 126;  // RFC 6455 section 5.2: a 16-bit, or a 64-bit length follows
constexpr std::size_t kLength64 = 127;

std::size_t header_size(std::size_t payload_size) noexcept {
  return (payload_size < kLength16 ? 2U : payload_size <= 0xFFFF ? 4U : 10U) + kMaskBytes;
}

void mask(char* data, std::size_t size, const unsigned char* key) noexcept {
  std::uint64_t wide;
  std::memcpy(&wide, key, kMaskBytes);
  std::memcpy(reinterpret_cast<char*>(&wide) + kMaskBytes, key, kMaskBytes);
  std::size_t at = 0;
  for (; size - at >= sizeof wide; at += sizeof wide) {
    std::uint64_t word;
    std::memcpy(&word, data + at, sizeof word);
    word ^= wide;
    std::memcpy(data + at, &word, sizeof word);
  }
  for (; at < size; ++at)
    data[at] = static_cast<char>(static_cast<unsigned char>(data[at]) ^ key[at % kMaskBytes]);
}

}  // namespace

std::size_t frame_size(std::size_t payload_size) noexcept { return header_size(payload_size) + payload_size; }

void append_frame(std::string& out, Opcode opcode, std::string_view payload, Coding coding) {
  const std::size_t size = payload.size();
  const std::size_t total = out.size() + frame_size(size);
  if (total > out.capacity()) out.reserve(std::max(total, out.capacity() * 2));

  std::array<unsigned char, 14> header;
  const unsigned rsv = coding == Coding::deflated ? kRsv1 : 0U;
  header[0] = static_cast<unsigned char>(kFin | rsv | static_cast<unsigned>(opcode));
  std::size_t at = 2;
  if (size < kLength16) {
    header[1] = static_cast<unsigned char>(kMasked | size);
  } else {
    const std::size_t width = size <= 0xFFFF ? 2 : 8;
    header[1] = static_cast<unsigned char>(kMasked | (width == 2 ? kLength16 : kLength64));
    for (std::size_t i = width; i-- > 0;) header[at++] = static_cast<unsigned char>(size >> (8 * i) & 0xFFU);
  }
  const unsigned char* const key = header.data() + at;
  random_bytes(header.data() + at, kMaskBytes);
  out.append(reinterpret_cast<const char*>(header.data()), at + kMaskBytes);

  for (std::size_t done = 0; done < size; done += kBlock) {
    const std::size_t count = std::min(kBlock, size - done);
    const std::size_t begin = out.size();
    out.append(payload.data() + done, count);
    mask(out.data() + begin, count, key);
  }
}

bool is_utf8(std::string_view text) noexcept {
  Utf8Validator validator;
  return validator.feed(text.data(), text.size()) && validator.complete();
}

}  // namespace fastws::engine

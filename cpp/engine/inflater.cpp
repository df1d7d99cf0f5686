// zlib's inflate, block by block into a small buffer.
#include "inflater.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <new>

namespace fastws::engine {
namespace {

constexpr std::size_t kBlock = std::size_t{16} << 10;
constexpr std::array<std::uint8_t, 4> kTrailer = {0x00, 0x00, 0xFF, 0xFF};
// A full window inflates whatever was made with a smaller one, and there are servers that agree to 8 bits, use 9 and
// do not say so (zlib cannot compress with 8).
constexpr int kRawWindow = -15;
// What zlib says of itself in data_type: a block has ended; the bits of the last byte that it has not used.
constexpr int kAtBlockEnd = 128;
constexpr int kUnusedBits = 7;

}  // namespace

class Inflater::Stream {
 public:
  Stream() {
    if (inflateInit2(&z, kRawWindow) != Z_OK) throw std::bad_alloc();
  }
  ~Stream() { inflateEnd(&z); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Begins a new stream that may refer to what the old one wrote (RFC 7692 section 7.2.3.4). Not by copying the window
  /// out and in again: a message can hold a final block in every two bytes.
  void go_on() { inflateResetKeep(&z); }
  void forget() { inflateReset(&z); }

  z_stream z{};
};

Inflater::Inflater() = default;
Inflater::~Inflater() = default;

void Inflater::enable(const DeflateTerms& terms, std::size_t limit) {
  enabled_ = true;
  takeover_ = terms.server_takeover;
  limit_ = limit;
}

std::error_code Inflater::fail(Fault fault) {
  fault_ = fault;
  return std::make_error_code(std::errc::bad_message);  // any error stops the processor; fault() says which
}

std::error_code Inflater::decompress(const std::uint8_t* data, std::size_t size, std::string& out) {
  if (fault_ != Fault::none) return fail(fault_);
  if (!stream_) stream_ = std::make_unique<Stream>();
  wrote_ = false;
  if (held_trailer_) {  // more came behind it: it was data
    held_trailer_ = false;
    fresh_ = false;
    if (const auto error = inflate(kTrailer.data(), kTrailer.size(), out)) return error;
  }
  if (fresh_ && size == kTrailer.size() && std::memcmp(data, kTrailer.data(), size) == 0) {
    held_trailer_ = true;
    return {};
  }
  return inflate(data, size, out);
}

std::error_code Inflater::inflate(const std::uint8_t* data, std::size_t size, std::string& out) {
  z_stream& z = stream_->z;
  std::array<Bytef, kBlock> block;
  z.next_in = const_cast<Bytef*>(data);
  while (size != 0) {
    const auto piece = static_cast<uInt>(std::min<std::size_t>(size, UINT_MAX));
    z.avail_in = piece;
    size -= piece;
    do {
      z.next_out = block.data();
      z.avail_out = static_cast<uInt>(kBlock);
      const int result = ::inflate(&z, Z_SYNC_FLUSH);
      if (result == Z_MEM_ERROR) throw std::bad_alloc();
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return fail(Fault::data);
      const std::size_t written = kBlock - z.avail_out;
      if (written > limit_ - out.size()) return fail(Fault::size);
      out.append(reinterpret_cast<const char*>(block.data()), written);
      wrote_ = wrote_ || written != 0;
      fresh_ = result == Z_STREAM_END;
      if (fresh_) stream_->go_on();
    } while (z.avail_in != 0 || z.avail_out == 0);
  }
  return {};
}

bool Inflater::finish_message() {
  bool whole = true;
  if (!held_trailer_ && !fresh_) {
    // The trailer completes the empty block that every message ends with, and no more: it writes nothing, and ends at a
    // byte's and a block's end. Anything else was cut off.
    const int state = stream_->z.data_type;
    whole = !wrote_ && (state & kAtBlockEnd) != 0 && (state & kUnusedBits) == 0;
  }
  held_trailer_ = false;
  fresh_ = false;
  if (!takeover_) stream_->forget();
  if (!whole) fail(Fault::data);
  return whole;
}

}  // namespace fastws::engine

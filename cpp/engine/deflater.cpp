// zlib's deflate, flushed at the end of every message, its last four bytes left out.
#include "deflater.hpp"

#include <zlib.h>

#include <algorithm>
#include <climits>
#include <new>

#include "outgoing.hpp"

namespace fastws::engine {
namespace {

constexpr int kLeastWindow = 9;      // of zlib's deflate
constexpr std::size_t kTrailer = 4;  // 00 00 FF FF, which the receiver puts back
constexpr std::size_t kKeep = std::size_t{256} << 10;

}  // namespace

class Deflater::Stream {
 public:
  Stream(int level, int bits) {
    // The hash table goes with the window: 256 KiB together for 15 bits, 4 KiB for 9.
    const int memory = bits - 7;
    if (deflateInit2(&z, level, Z_DEFLATED, -bits, memory, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  ~Stream() { deflateEnd(&z); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  z_stream z{};
};

Deflater::Deflater(const DeflateTerms& terms, const DeflateOptions& options)
    : level_(options.level),
      bits_(terms.client_bits),
      takeover_(terms.client_takeover),
      threshold_(options.threshold) {}

Deflater::~Deflater() = default;

void Deflater::forget() noexcept { stream_.reset(); }

void Deflater::append_frame(std::string& out, Opcode opcode, std::string_view payload) {
  // Where 8 bits were agreed, which zlib cannot keep to, everything is sent plain, as it always may be.
  if (payload.empty() || payload.size() < threshold_ || bits_ < kLeastWindow) {
    engine::append_frame(out, opcode, payload);
    return;
  }
  try {
    deflate(payload);
    if (!takeover_ && deflated_.size() >= payload.size()) {  // with takeover the receiver needs it as context
      engine::append_frame(out, opcode, payload);
    } else {
      engine::append_frame(out, opcode, deflated_, Coding::deflated);
    }
  } catch (...) {
    forget();
    throw;
  }
  if (deflated_.capacity() > kKeep) std::string().swap(deflated_);
}

void Deflater::deflate(std::string_view payload) {
  if (!stream_) stream_ = std::make_unique<Stream>(level_, bits_);
  z_stream& z = stream_->z;
  deflated_.clear();
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(payload.data()));
  std::size_t left = payload.size();
  do {
    const auto piece = static_cast<uInt>(std::min<std::size_t>(left, UINT_MAX));
    z.avail_in = piece;
    left -= piece;
    do {
      const std::size_t begin = deflated_.size();
      const std::size_t room = std::clamp<std::size_t>(payload.size() / 4, 256, kKeep);
      deflated_.resize(begin + room);
      z.next_out = reinterpret_cast<Bytef*>(deflated_.data() + begin);
      z.avail_out = static_cast<uInt>(room);
      ::deflate(&z, left == 0 ? Z_SYNC_FLUSH : Z_NO_FLUSH);  // cannot fail with room and a sound state
      deflated_.resize(deflated_.size() - z.avail_out);
    } while (z.avail_out == 0);
  } while (left != 0);
  deflated_.resize(deflated_.size() - kTrailer);
  if (!takeover_) deflateReset(&z);
}

}  // namespace fastws::engine

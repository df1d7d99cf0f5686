// What arrived, on the I/O thread: who wants it, and how far it is read for them.
#include <algorithm>
#include <optional>
#include <utility>

#include "client.hpp"

namespace fastws::client {

namespace {

constexpr std::size_t large_text =
    4096;  // bytes from which scanning the whole of a text costs more than a guess
constexpr std::size_t beginning = 512;  // bytes: where the guess looks for the route
constexpr unsigned many = 16;           // messages in a row; one in ten at random is never wanted so often

}  // namespace

// --- One read of the socket ------------------------------------------------------------------------------------------

void Client::begin_read() {
  read_began_ = net::monotonic_now();
  inbox_.begin(read_began_);
}

bool Client::end_read(bool closing) { return finish_read(transport_life_, closing); }

void Client::discard_read() { finish_read(Inbox::no_life, false); }

bool Client::finish_read(std::uint64_t life, bool closing) {
  push_replies();
  traffic_.messages_in.fetch_add(std::exchange(read_messages_, 0), std::memory_order_relaxed);
  const bool full = inbox_.publish(life, closing);
  if (!quiet_timer_) watch_for_quiet();
  traffic_.parse_seconds.store(traffic_.parse_seconds.load() + net::monotonic_now() - read_began_);
  return full;
}

// --- One message -----------------------------------------------------------------------------------------------------

void Client::transport_message(engine::Opcode opcode, std::string_view payload) {
  ++read_messages_;
  if (recorder_ &&
      !recorder_->message(transport_->epoch(), opcode == engine::Opcode::binary, payload, read_began_)) {
    inbox_.count_unrecorded();
  }
  if (opcode == engine::Opcode::binary) {
    binary_arrived(payload);
  } else {
    text_arrived(payload);
  }
}

void Client::binary_arrived(std::string_view payload) {
  if (!inbox_.binary_wanted() && !inbox_.undecided()) {
    inbox_.count_unhandled("binary");
    return;
  }
  inbox_.add(Item::Kind::binary, json::Reader::append_text(inbox_.tape(), payload), false, {}, payload);
}

void Client::text_arrived(std::string_view payload) {
  if (replies_.any()) reply_to(payload);
  const bool routed = options_->json && !options_->route_by.empty();
  std::optional<json::Document> parsed;
  const json::Route found = [&] {
    if (!routed) return json::Route{};
    if (!seems_wanted(payload)) return json::find_route(payload, options_->route_by, scratch_);
    json::Route route;
    parsed = io_.reader.append(inbox_.tape(), payload, options_->route_by, route, scratch_);
    route.value = route_.assign(route.value);  // it may lie in the tape, which grows
    return route;
  }();
  const bool has_route = found.kind == json::Route::Kind::found;
  const std::string_view route = has_route ? found.value : std::string_view();
  const auto unparsed = [&] { return json::Reader::append_text(inbox_.tape(), payload); };
  if (found.kind == json::Route::Kind::unreadable) {
    inbox_.add_unreadable(parsed ? *parsed : unparsed());
    return;
  }
  const auto kind = options_->json ? Item::Kind::json : Item::Kind::text;
  const bool wanted = inbox_.wanted(has_route, route);
  wanted_in_a_row_ = wanted ? std::min(wanted_in_a_row_ + 1, many) : 0;
  if (wanted) {
    if (!parsed) parsed = options_->json ? io_.reader.append(inbox_.tape(), payload) : unparsed();
    inbox_.add(kind, *parsed, has_route, route, payload);
  } else if (inbox_.undecided()) {
    inbox_.add(kind, parsed ? *parsed : unparsed(), has_route, route, payload);
  } else {
    if (parsed) json::take_back(inbox_.tape(), *parsed);
    inbox_.count_unhandled(route);
  }
}

/// Whether a text is parsed at once, because that tells its route too and it will be wanted: a guess, which costs a pass over
/// the text less than finding the route first when it is right. Small ones are like those before them.
bool Client::seems_wanted(std::string_view text) {
  if (text.size() < large_text) return wanted_in_a_row_ == many;
  if (inbox_.wanted(false, {})) return true;
  const json::Route guess = json::guess_route(text.substr(0, beginning), options_->route_by, scratch_);
  return guess.kind == json::Route::Kind::found && inbox_.wanted(true, guess.value);
}

}  // namespace fastws::client

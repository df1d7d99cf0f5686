// Sending: objects become text with the GIL, and go out without it.
#include <pybind11/stl.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "convert.hpp"
#include "core.hpp"
#include "encode.hpp"
#include "natively.hpp"
#include "raised.hpp"

namespace py = pybind11;

namespace fastws::python {

namespace {

// What send_many() takes from its iterable before it sends: the first of these that is reached.
constexpr std::size_t batch_bytes = std::size_t{64} << 10;
constexpr std::size_t batch_messages = 1024;
constexpr double batch_seconds = 0.002;  // so that what a slow iterable gives is not kept waiting

/// How many of a batch were accepted before it was raised, for send_many() to add up.
void note_accepted(const py::error_already_set& error, std::size_t count) {
  const py::object number = py::int_(count);
  if (PyObject_SetAttrString(error.value().ptr(), "accepted", number.ptr()) != 0) PyErr_Clear();
}

}  // namespace

py::handle refused_class() {
  static PyObject* made = PyErr_NewException("fastws._core.Refused", PyExc_Exception, nullptr);
  if (made == nullptr) throw_raised();
  return made;
}

void Core::set_refusal(client::Client::Sent sent, std::size_t size) const {
  using Sent = client::Client::Sent;
  using Policy = client::OfflineOptions::Policy;
  const auto refuse = [](const char* why, const std::string& text) {
    PyErr_SetObject(refused_class().ptr(), py::make_tuple(why, text).ptr());
  };
  const auto& options = client_->options();
  if (sent == Sent::full) {
    PyErr_SetString(PyExc_TimeoutError, "the outbox stayed full: the server does not take what is sent");
  } else if (sent == Sent::too_big) {
    refuse("too_big", "a message of " + std::to_string(size) + " bytes is above max_message_bytes (" +
                          std::to_string(options.max_message_bytes) + ")");
  } else if (options.offline.policy == Policy::raise) {
    refuse("not_open", "nothing was sent: the connection is not open");
  } else {
    refuse("queue_full", "the offline queue is full (" + std::to_string(options.offline.messages) +
                             " messages or " + std::to_string(options.offline.bytes) + " bytes)");
  }
}

std::optional<bool> Core::send(engine::Opcode opcode, std::string_view payload, std::uint64_t epoch,
                               bool wait, std::uint64_t of) {
  using Sent = client::Client::Sent;
  using Gathered = client::Line::Gathered;
  if (lost()) return false;
  // With the GIL, which costs more to give back and take again than this: it waits for nothing, and no fork can come between.
  const Gathered gathered = client_->gather(opcode, payload, epoch != 0 ? epoch : of);
  if (gathered == Gathered::much) natively([&] { client_->relieve(); });
  if (gathered != Gathered::no) return true;
  if (wait) return send_all(opcode, &payload, 1, epoch) != 0;
  client::Client::Sending sending;
  sending.epoch = of;
  const Sent sent =
      natively([&] { return client_->send_many(opcode, &payload, 1, epoch, 0.0, sending); }, Sent::accepted);
  if (sent == Sent::full) {
    tried_epoch_ = sending.epoch;
    return std::nullopt;
  }
  if (sent == Sent::accepted) return sending.accepted != 0;
  set_refusal(sent, payload.size());
  throw_raised();
}

std::size_t Core::send_all(engine::Opcode opcode, const std::string_view* payloads, std::size_t size,
                           std::uint64_t epoch) {
  using Sent = client::Client::Sent;
  if (lost()) return 0;
  const auto until = deadline_after(client_->options().send_timeout);
  client::Client::Sending sending;
  try {
    for (;;) {
      const auto slice = slice_end(until);
      const Sent sent = natively(
          [&] { return client_->send_many(opcode, payloads, size, epoch, slice, sending); }, Sent::accepted);
      if (sent == Sent::accepted) return sending.accepted;
      const bool time_is_over = until && net::monotonic_now() >= *until;
      if (sent != Sent::full || time_is_over) {
        set_refusal(sent, payloads[sending.done].size());
        throw_raised();
      }
      check_signals();
    }
  } catch (py::error_already_set& error) {
    note_accepted(error, sending.accepted);
    throw;
  }
}

std::optional<bool> Core::send_json(PyObject* object, PyObject* default_hook, std::uint64_t epoch,
                                    bool wait) {
  json::Text text;
  if (!encode(object, default_hook == Py_None ? nullptr : default_hook, text)) throw_raised();
  return send(engine::Opcode::text, text.view(), epoch, wait, 0);
}

std::optional<bool> Core::send_text(const py::str& text, std::uint64_t epoch, bool wait, std::uint64_t of) {
  Py_ssize_t size = 0;
  const char* data = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
  if (data == nullptr) throw_raised();
  return send(engine::Opcode::text, {data, static_cast<std::size_t>(size)}, epoch, wait, of);
}

std::optional<bool> Core::send_bytes(const py::buffer& data, std::uint64_t epoch, bool wait,
                                     std::uint64_t of) {
  Py_buffer view;  // contiguous bytes: a strided view has none and says so
  if (PyObject_GetBuffer(data.ptr(), &view, PyBUF_SIMPLE) != 0) throw_raised();
  struct Release {
    Py_buffer& view;
    ~Release() { PyBuffer_Release(&view); }
  } const release{view};
  const std::string_view bytes(static_cast<const char*>(view.buf), static_cast<std::size_t>(view.len));
  return send(engine::Opcode::binary, bytes, epoch, wait, of);
}

Core::Batch Core::batch_from(const py::iterator& objects, const py::object& default_hook) {
  Batch batch;
  const double until = net::monotonic_now() + batch_seconds;
  do {
    const auto object = py::reinterpret_steal<py::object>(PyIter_Next(objects.ptr()));
    json::Text text;
    if (!object) {
      batch.more = false;
      if (PyErr_Occurred() != nullptr) batch.error.emplace();
    } else if (!encode(object.ptr(), default_hook.is_none() ? nullptr : default_hook.ptr(), text)) {
      batch.error.emplace();
    } else if (text.view().size() > client_->options().max_message_bytes) {
      set_refusal(client::Client::Sent::too_big, text.view().size());
      batch.error.emplace();
    } else {
      batch.texts += text.view();
      batch.ends.push_back(batch.texts.size());
    }
  } while (batch.more && !batch.error && batch.texts.size() < batch_bytes &&
           batch.ends.size() < batch_messages && net::monotonic_now() < until);
  return batch;
}

std::vector<std::string_view> Core::Batch::payloads() const {
  std::vector<std::string_view> views;
  views.reserve(ends.size());
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    views.push_back(std::string_view(texts).substr(begin, end - begin));
    begin = end;
  }
  return views;
}

py::tuple Core::send_many(const py::iterator& objects, const py::object& default_hook, std::uint64_t epoch) {
  const Batch batch = batch_from(objects, default_hook);
  const auto payloads = batch.payloads();
  const std::size_t accepted =
      payloads.empty() ? 0 : send_all(engine::Opcode::text, payloads.data(), payloads.size(), epoch);
  if (batch.error) {
    note_accepted(*batch.error, accepted);
    throw py::error_already_set(*batch.error);
  }
  return py::make_tuple(accepted,
                        batch.more && !lost());  // an endless iterable must not keep an exiting program
}

py::tuple Core::send_some(const py::iterator& objects, const py::object& default_hook, std::uint64_t epoch) {
  using Sent = client::Client::Sent;
  Batch batch = batch_from(objects, default_hook);
  const auto payloads = batch.payloads();
  client::Client::Sending sending;
  Sent sent = Sent::accepted;
  if (!payloads.empty() && !lost()) {
    sent = natively(
        [&] {
          return client_->send_many(engine::Opcode::text, payloads.data(), payloads.size(), epoch, 0.0,
                                    sending);
        },
        Sent::accepted);
  }
  py::list left;
  if (sent == Sent::full) {
    for (std::size_t index = sending.done; index < payloads.size(); ++index) {
      left.append(py::str(payloads[index].data(), payloads[index].size()));
    }
  } else if (sent != Sent::accepted) {  // before what the objects after it may have raised
    set_refusal(sent, payloads[sending.done].size());
    batch.error.emplace();
  }
  const py::object error = batch.error ? py::object(batch.error->value()) : py::none();
  return py::make_tuple(sending.accepted, batch.more && !lost(), left, error);
}

bool Core::flush(std::optional<double> timeout, bool stored_too) {
  using Waited = client::Departures::Waited;
  if (lost()) return false;
  const auto until = deadline_after(timeout);
  auto flushing = begin_flush(stored_too);
  for (;;) {
    const auto slice = slice_end(until);
    const Waited waited = natively([&] { return client_->await_flush(flushing, slice); }, Waited::lost);
    if (waited != Waited::not_yet) return waited == Waited::left;
    check_signals();
    if (until && net::monotonic_now() >= *until) break;
  }
  PyErr_SetString(PyExc_TimeoutError, "what was sent could not all be written in time");
  throw_raised();
}

client::Client::Flushing Core::begin_flush(bool stored_too) {
  if (lost()) return {};
  return natively([&] { return client_->begin_flush(stored_too); }, client::Client::Flushing());
}

std::optional<bool> Core::flushed(client::Client::Flushing& flushing) {
  using Waited = client::Departures::Waited;
  if (lost()) return false;
  const Waited waited = natively([&] { return client_->await_flush(flushing, 0.0); }, Waited::lost);
  if (waited == Waited::not_yet) return std::nullopt;
  return waited == Waited::left;
}

py::object Core::ping(std::optional<double> timeout) {
  if (lost()) return py::none();
  using Pong = client::Client::Pong;
  const auto until = deadline_after(timeout);
  const auto pinged = natively([&] { return client_->ping(); }, std::optional<client::Client::Pinged>());
  if (!pinged) return py::none();
  for (;;) {
    const auto slice = slice_end(until);
    double seconds = 0.0;
    const Pong pong = natively([&] { return client_->await_pong(*pinged, slice, seconds); }, Pong::lost);
    if (pong == Pong::arrived) return py::float_(seconds);
    if (pong == Pong::lost) return py::none();
    check_signals();
    if (until && net::monotonic_now() >= *until) break;
  }
  PyErr_SetString(PyExc_TimeoutError, "no Pong arrived in time");
  throw_raised();
}

// --- Every connection ------------------------------------------------------------------------------------------------

bool Core::set_sticky(const std::string& key, const py::object& object, bool after_connect) {
  json::Text text;
  if (!encode(object.ptr(), nullptr, text)) throw_raised();
  if (text.view().size() > client_->options().max_message_bytes) {
    set_refusal(client::Client::Sent::too_big, text.view().size());
    throw_raised();
  }
  if (lost()) return false;
  return natively([&] { return client_->set_sticky(key, text.view(), after_connect); }, false);
}

bool Core::unset_sticky(const std::string& key) {
  return !lost() && natively([&] { return client_->unset_sticky(key); }, false);
}

void Core::expect_release(bool on) {
  if (!lost()) client_->expect_release(on);
}

void Core::release(std::uint64_t epoch) {
  if (!lost()) natively([&] { client_->release(epoch); });
}

}  // namespace fastws::python

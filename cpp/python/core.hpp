// `_core.Core`: one client's native half as Python holds it.
//
// May know: pybind11, the client. Promises: every call that may wait or write releases the GIL; no Python object is kept
// but what waits to be built; a Core of the parent, seen in a fork's child, does nothing and frees nothing.
#pragma once

#include <pybind11/pybind11.h>

#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "../client/client.hpp"
#include "build.hpp"
#include "direct.hpp"

namespace fastws::python {

class LoopWakeup;

class Core {
 public:
  Core(const std::optional<std::string>& url, const pybind11::object& headers,
       std::shared_ptr<const client::Options> options, Core* replaces);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  void connect();
  void reconnect();
  void close(std::uint16_t code, std::string reason);
  void destroy();

  [[nodiscard]] std::string state() const;
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] std::uint64_t life() const;
  [[nodiscard]] std::uint64_t epoch() const;
  [[nodiscard]] std::uint64_t connects() const;
  [[nodiscard]] std::string url() const;
  [[nodiscard]] pybind11::object subprotocol() const;
  [[nodiscard]] pybind11::object latency() const;
  [[nodiscard]] pybind11::object outcome() const;
  [[nodiscard]] pybind11::object last_failure() const;
  [[nodiscard]] pybind11::dict stats() const;
  bool flush_record(double timeout);
  [[nodiscard]] std::uint64_t version() const;
  std::uint64_t wait_change(std::uint64_t seen, std::optional<double> timeout);

  // `wait` false: nullopt instead of waiting for room. `of`: the epoch in which a message was first tried; 0 = now.
  std::optional<bool> send_json(PyObject* object, PyObject* default_hook, std::uint64_t epoch, bool wait);
  std::optional<bool> send_text(const pybind11::str& text, std::uint64_t epoch, bool wait, std::uint64_t of);
  std::optional<bool> send_bytes(const pybind11::buffer& data, std::uint64_t epoch, bool wait,
                                 std::uint64_t of);
  [[nodiscard]] std::uint64_t tried_epoch() const noexcept { return tried_epoch_; }
  pybind11::tuple send_many(const pybind11::iterator& objects, const pybind11::object& default_hook,
                            std::uint64_t epoch);
  // Without waiting for room: besides the texts that found none, and what was raised.
  pybind11::tuple send_some(const pybind11::iterator& objects, const pybind11::object& default_hook,
                            std::uint64_t epoch);
  bool flush(std::optional<double> timeout, bool stored_too);
  client::Client::Flushing begin_flush(bool stored_too);
  std::optional<bool> flushed(client::Client::Flushing& flushing);  // nullopt: not yet
  pybind11::object ping(std::optional<double> timeout);

  bool set_sticky(const std::string& key, const pybind11::object& object, bool after_connect);
  bool unset_sticky(const std::string& key);
  void expect_release(bool on);
  void release(std::uint64_t epoch);

  void handle(const std::vector<std::string>& routes, bool everything, bool binary);
  void dispatching(bool on);
  pybind11::object take(std::size_t limit, double budget, std::optional<double> timeout);
  // nullopt: nothing comes any more.
  std::optional<std::size_t> fetch(std::uint64_t lane, std::size_t limit, std::optional<double> timeout);
  // `plans`: a dict; the others as DirectCalls takes them.
  pybind11::object deliver(double seconds, PyObject* plans, PyObject* plan_of, PyObject* report);
  [[nodiscard]] double handler_seconds() const noexcept { return handler_seconds_; }
  bool admit(const std::string& name, std::uint64_t life, std::uint64_t epoch);
  [[nodiscard]] bool drained() const;
  void nudge();

  // core_loop.cpp: what an event loop needs, which never sleeps in here.
  bool open_bell(const LoopWakeup& wakeup, std::uint64_t number);  // false: nothing rings any more
  void close_bell();
  void quiet_bell();
  pybind11::object begin_ping();
  pybind11::object pong(std::uint64_t number, std::uint64_t epoch);

  std::uint64_t open_reader(const std::optional<std::vector<std::string>>& routes);
  void close_reader(std::uint64_t reader);
  pybind11::object next(std::uint64_t reader, const pybind11::object& bad);
  pybind11::object next_many(std::uint64_t reader, const pybind11::object& bad, std::size_t most);

  pybind11::object next_ask(std::optional<double> timeout);
  void provide(std::uint64_t epoch, const std::optional<std::string>& url, const pybind11::object& headers);
  void provide_failed(std::uint64_t epoch, std::string message);
  void answer(std::uint64_t epoch, bool stop, std::optional<double> delay);

 private:
  /// What a lane's consumer took and has not given back: returned when its last message is given, or somebody waits for room.
  struct Taken {
    std::vector<client::Item> fetched;  // from `next` on neither built nor delivered yet
    std::size_t next = 0;
    std::vector<client::Item> worked;
    std::size_t worked_bytes = 0;  // of a reader's
    std::vector<client::Item> back;
    std::list<pybind11::object> kept;  // read, and not given: Ctrl-C came; before what is in `fetched`
    std::uint64_t kept_life = 0;
    double at = 0.0;  // when its consumer took the last ones, monotonic seconds
    [[nodiscard]] std::size_t left() const noexcept { return fetched.size() - next; }
    void add(std::vector<client::Item>&& items);
    void give_back();
  };

  /// A message for a reader, and what it was made of, unless that is gone.
  struct Read {
    pybind11::object message;
    std::optional<client::Item> item;
  };

  /// What send_many() takes from its iterable at a time.
  struct Batch {
    std::string texts;
    std::vector<std::size_t> ends;
    bool more = true;
    std::optional<pybind11::error_already_set> error;
    [[nodiscard]] std::vector<std::string_view> payloads() const;
  };

  [[nodiscard]] bool lost() const noexcept;
  Batch batch_from(const pybind11::iterator& objects, const pybind11::object& default_hook);
  std::optional<bool> send(engine::Opcode opcode, std::string_view payload, std::uint64_t epoch, bool wait,
                           std::uint64_t of);
  std::size_t send_all(engine::Opcode opcode, const std::string_view* payloads, std::size_t size,
                       std::uint64_t epoch);
  void set_refusal(client::Client::Sent sent, std::size_t size) const;  // as Python's exception
  std::optional<client::Inbox::Taken> look_for_items(std::uint64_t lane, std::size_t limit,
                                                     std::vector<client::Item>& items);
  client::Inbox::Taken take_items(std::uint64_t lane, std::size_t limit, std::optional<double> timeout,
                                  std::vector<client::Item>& items);
  void keep(std::uint64_t lane, std::vector<client::Item>& items, std::size_t worked);
  pybind11::object read_item(client::Item& item, const pybind11::object& bad);
  void read_next(std::uint64_t reader, const pybind11::object& bad, Read& read);
  void give(std::uint64_t reader, Read* reads, std::size_t count);
  void put_back(std::uint64_t reader, Read* reads, std::size_t count);
  bool take_kept(Taken& taken, Read& read);
  void worked_off(std::uint64_t reader, client::Item&& item);
  void return_worked(const std::uint64_t* except = nullptr);
  pybind11::list build_items(std::uint64_t lane, std::vector<client::Item>& items, std::size_t next,
                             double until);
  pybind11::object deliver_until(double until, const DirectCalls& calls);
  pybind11::object build_item(const client::Item& item);
  pybind11::object message_of(const client::Item& item);
  pybind11::object bad_item(client::Item& item);

  std::shared_ptr<client::Client> client_;
  std::uint32_t generation_;
  std::uint64_t tried_epoch_ = 0;  // in which the last message that found no room was first tried
  std::map<std::uint64_t, Taken> taken_;
  double handler_seconds_ = 0.0;  // in deliver()
};

/// What Core::next and next_many give when nothing is at hand. With the GIL.
pybind11::handle nothing();

/// `_core.Refused`, which send_*() raise: ("too_big" | "not_open" | "queue_full", what happened). With the GIL.
pybind11::handle refused_class();

/// Binds Core and the functions of the process.
void bind_core(pybind11::module_& module);

}  // namespace fastws::python

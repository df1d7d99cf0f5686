"""The native core as the Python modules see it (private: only the modules that own its use import it).

Every call that may wait or write releases the GIL. After interpreter exit began, and in the child of a fork, a call on
an older core does nothing and returns False, None or an empty value at once.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, TypeAlias, overload

from typing_extensions import Buffer

# (EVENT, name, fields)            a lifecycle event: `fields` are the event object's, plus "life" and "age" (seconds)
# (JSON, route or None, object)    a text message as an object
# (TEXT, None, str)                a text message with decode="text"
# (BINARY, None, bytes)            a binary message
# (BAD, text, exception)           a text message that json.loads refuses: its whole text as str, what it raised
Item: TypeAlias = tuple[int, Any, Any]
Stop: TypeAlias = tuple[Any, Any, Any, BaseException | None, tuple[Any, ...]]
EVENT: int
JSON: int
TEXT: int
BINARY: int
BAD: int
HANDLERS: int  # the queue of what handlers wait for; readers have numbers of their own
NOTHING: object  # what a reader's functions give when nothing is there

build_info: dict[str, str]  # versions of Asio, OpenSSL, pybind11 and the compiler

class Refused(Exception):
    """A message was not taken, and that is to raise: args are ("too_big" | "not_open" | "queue_full", what happened)."""

class Flushing:
    """What waited to be written at a time."""

class Options:
    """What clients may share. `config`: what fastws._settings.core_config gives, but for `url` and `headers`."""

    def __init__(self, config: dict[str, Any]) -> None: ...

class LoopWakeup:
    """A descriptor for an event loop to watch: readable when a bell rang. Raises OSError."""

    def __init__(self) -> None: ...
    @property
    def descriptor(self) -> int: ...
    def answer(self) -> list[int]:
        """The numbers of the bells that rang since the last answer, in that order; never waits."""

class Core:
    """One client's native half. `url` None: a provider gives it."""

    def __init__(
        self, url: str | None, headers: list[tuple[str, str]], options: Options, replaces: Core | None = None
    ) -> None: ...

    # Commands: never wait.
    def connect(self) -> None: ...
    def reconnect(self) -> None: ...
    def close(self, code: int, reason: str) -> None: ...
    def destroy(self) -> None: ...

    # What is so now.
    state: str  # idle, connecting, open, backoff, closing, closed, destroyed
    life: int  # grows with every close()
    epoch: int  # the open connection's epoch; 0 = not open
    connects: int  # connections that opened so far
    url: str  # of the last attempt, without secrets
    subprotocol: str | None
    latency: float | None
    def outcome(self) -> tuple[str, int, dict[str, Any] | None] | None:
        """How the last life ended: (closed reason, close code or 0, the last failure's fields); None = not closed."""
    def last_failure(self) -> dict[str, Any] | None:
        """Fields phase, message, http_status, retry_after, headers, body of the last failed attempt, or None."""
    def stats(self) -> dict[str, Any]: ...
    def flush_record(self, timeout: float) -> bool:
        """Wait until what arrived so far is in the file of `record`. False: the time (seconds) is over."""
    def is_over(self) -> bool:
        """Whether the state is closed or destroyed."""
    def version(self) -> int:
        """A number that grows with every change of the state."""
    def wait_change(self, seen: int, timeout: float | None) -> int:
        """Sleep until version() differs from `seen`, a nudge() for waiters, or the time is over; gives version()."""

    # Sending: True = accepted for the connection that is open (of `epoch`, unless that is 0) or stored; False = dropped and
    # counted. Raises TimeoutError when the outbox stayed full for send_timeout, Refused when above the size limit and as
    # `offline` says.
    # `wait` False: None at once instead of waiting for room; `of`: the epoch in which the message was first tried, so that
    # it does not cross to the next connection.
    @overload
    def send_json(self, object: object, default: Callable[[Any], Any] | None, epoch: int, /) -> bool: ...
    @overload
    def send_json(
        self, object: object, default: Callable[[Any], Any] | None, epoch: int, wait: bool, /
    ) -> bool | None: ...
    @property
    def tried_epoch(self) -> int:
        """The epoch in which the last message for which there was no room was tried."""

    @overload
    def send_text(self, text: str, epoch: int) -> bool: ...
    @overload
    def send_text(self, text: str, epoch: int, wait: bool, of: int = 0) -> bool | None: ...
    @overload
    def send_bytes(self, data: Buffer, epoch: int) -> bool: ...
    @overload
    def send_bytes(self, data: Buffer, epoch: int, wait: bool, of: int = 0) -> bool | None: ...
    def send_many(
        self, objs: Iterator[Any], default: Callable[[Any], Any] | None, epoch: int
    ) -> tuple[int, bool]:
        """Takes a batch from the iterator and sends it: (how many were accepted, whether more may follow).

        What it raises, or encoding or the iterator did, has the attribute `accepted`: how many of the batch were.
        """
    def flush(self, timeout: float | None, stored_too: bool) -> bool:
        """True = what waits now is written; False = lost, or not open. Raises TimeoutError. `stored_too`: waits for the
        offline queue as well."""
    def send_some(
        self, objs: Iterator[Any], default: Callable[[Any], Any] | None, epoch: int
    ) -> tuple[int, bool, list[str], BaseException | None]:
        """As send_many(), but never waits for room: besides, the texts that found none, and what was raised after them."""
    def begin_flush(self, stored_too: bool) -> Flushing:
        """What waits now, for flushed()."""
    def flushed(self, flushing: Flushing) -> bool | None:
        """As flush(), but never waits: None = not yet."""
    def ping(self, timeout: float | None) -> float | None:
        """Seconds of one round trip; None = not open (any more). Raises TimeoutError."""
    def begin_ping(self) -> tuple[int, int] | None:
        """Send a Ping: what pong() asks for, or None = not open. Does not wait."""
    def pong(self, number: int, epoch: int) -> float | Literal[False] | None:
        """Seconds of that round trip; None = not yet; False = the connection is over."""

    # What every connection is sent. Raises Refused when above the size limit.
    def set_sticky(self, key: str, obj: object, after_connect: bool) -> bool:
        """True = it was sent on the connection that is open."""
    def unset_sticky(self, key: str) -> bool: ...
    def expect_release(self, on: bool) -> None:
        """Whether release() will be called for every connection: `connect` handlers exist."""
    def release(self, epoch: int) -> None:
        """The `connect` handlers of this epoch have returned: sticky messages that follow them and the offline queue go."""

    # Handlers: what they want, and the queue of the one thread, or task, that calls them.
    def handle(self, routes: list[str], everything: bool, binary: bool) -> None:
        """What message handlers exist for from now on. What waited unclaimed and is now wanted is queued, in order."""
    def dispatching(self, on: bool) -> None:
        """Whether a dispatcher drains take(); while none does, only the newest 256 events are kept."""
    def take(self, limit: int, budget: float, timeout: float | None) -> tuple[int, list[Item]] | None:
        """Wait for, build and return (life, items): at most `limit` items or `budget` seconds of building.

        An empty list: the time is over, or nudge() was called. None: destroyed or exiting, the thread must end.
        """
    def fetch(self, lane: int, limit: int, timeout: float | None) -> int | None:
        """Sleep until something waits for HANDLERS or a reader, and get at most `limit` items ready for deliver() or
        its functions: how many. 0: the time is over, or nudge() was called. None: nothing comes any more. What was fetched
        before and is still there counts, and nothing is added to it.
        """
    @overload
    def deliver(
        self,
        seconds: float,
        plans: dict[str | None, tuple[Any, ...] | None],
        plan_of: Callable[[str | None], tuple[Any, ...] | None],
        report: Callable[[Any, Any, Any, BaseException | None], None],
    ) -> tuple[int, list[Item], None] | None: ...
    @overload
    def deliver(
        self,
        seconds: float,
        plans: dict[str | None, tuple[Any, ...] | None],
        plan_of: Callable[[str | None], tuple[Any, ...] | None],
        report: None,
    ) -> tuple[int, list[Item], None] | tuple[int, bool, Stop] | None:
        """Call the handlers of the slice's messages, up to the first one for which there is no plan; build the others. What
        is neither called nor built after so many seconds is fetched again next time.

        Gives None when all were called, else (life, items, None). `plans`: see fastws._handlers.HandlerTable.direct; `plan_of`
        is asked for a route that it lacks; `report` is told (handler, message, result, exception) when a handler gave
        something or raised. Without a `report` it stops there and gives (life, whether more was fetched, what it would have
        told and the handlers that this message is still to be given); called again, it goes on with the next message.
        """
    @property
    def handler_seconds(self) -> float:
        """What deliver() took, in all."""
    def admit(self, name: str, life: int, epoch: int) -> bool:
        """Whether a lifecycle event may still be delivered, asked once per event at the moment of delivery."""
    def drained(self) -> bool:
        """Whether nothing is left to take, of what can not be taken yet, too."""
    def nudge(self) -> None:
        """Wake whoever sleeps in take(), fetch() or wait_change(), and ring the bell."""

    # The bell: it rings once, until quiet_bell(), when the state changed, when there is something for a queue in which take()
    # or fetch() with timeout 0.0 found nothing, a question for next_ask(), a Pong, or room in an outbox that was full.
    def open_bell(self, wakeup: LoopWakeup, number: int) -> bool:
        """Have it wake a loop, under that number. False = exiting, nothing rings any more."""
    def close_bell(self) -> None: ...
    def quiet_bell(self) -> None: ...

    # Readers: each has a queue of its own, which fetch() knows by its number. `routes` None = everything, binary too.
    def open_reader(
        self, routes: list[str] | None
    ) -> tuple[
        int,
        Callable[[Callable[[str, BaseException], None]], Any],
        Callable[[Callable[[str, BaseException], None], int], Any],
    ]:
        """Its number and two functions; it is closed with them at the latest. The first gives the next message that was
        fetched, or NOTHING. What waited for that longer than 2 ms goes back to the queue, where newer messages may take its
        place; what is left when the life or the reader ends was never taken. The second gives a list of those and of what else
        is there, at most so many, or NOTHING. When Ctrl-C comes meanwhile it is raised, and nothing was taken.

        They are called with what is told (text, exception) of a message that is no JSON, unless a dispatcher reports it.
        """
    def close_reader(self, reader: int) -> None: ...

    # Providers: asked by the thread, or task, `fastws-<name>-ask`.
    def next_ask(self, timeout: float | None) -> dict[str, Any] | None:
        """The next question: {"kind": "provide" | "should_reconnect", "epoch", "attempt", "is_reconnect",
        "last_close": code or None, "last_error": failure fields or None}. {} = the time is over. None: the thread must end.
        """
    def provide(self, epoch: int, url: str | None, headers: list[tuple[str, str]] | None) -> None:
        """What the providers said, for the attempt of this epoch; None = there is no such provider. Raises ValueError
        when the URL or a header can not be used."""
    def provide_failed(self, epoch: int, message: str) -> None: ...
    def answer(self, epoch: int, stop: bool, delay: float | None) -> None: ...

# The process: registered once by fastws._registry.
def before_fork() -> None: ...
def after_fork_in_parent() -> None: ...
def after_fork_in_child() -> None: ...
def shutdown(grace: float, join: float) -> None:
    """Destroy all clients (Close frames within `grace` seconds), close the gate, join the I/O thread within `join`."""

def find_trust(root: str = "") -> tuple[str, str]:
    """Where the system below `root` keeps its certificate authorities: (bundle file, hashed folders), "" = none.

    Raises ValueError when SSL_CERT_FILE or SSL_CERT_DIR names what can not be used.
    """

# For tests: the rooms of the core, without a connection.
def parse_url(url: str) -> dict[str, Any]:
    """secure, host, port, resource, user, password, shown. Raises ValueError."""

def loads(text: str | bytes) -> Any:
    """A text through the reader and the builder (UTF-8 when bytes): exactly json.loads(text)."""

def dumps(obj: object, default: Callable[[Any], Any] | None = None) -> str: ...
def find_route(text: str | bytes, keys: list[str]) -> tuple[str, str | None]:
    """("none" | "found" | "unreadable", the value or None)."""

def read_route(text: str | bytes, keys: list[str]) -> tuple[str, str | None]:
    """The same, as the reader tells it while it parses."""

def parsed_natively(text: str | bytes) -> bool:
    """Whether the fast path took the text."""

# For benchmarks: seconds of this thread's CPU time, around a native loop.
def time_calls(function: Callable[[Any], Any], arguments: Sequence[object]) -> float: ...
def time_reading(texts: Sequence[str | bytes]) -> tuple[float, float]:
    """Parsing (which needs no GIL), building."""

def time_writing(objects: Sequence[object]) -> float: ...
def time_scanning(texts: Sequence[str | bytes], keys: Sequence[str], times: int) -> float: ...

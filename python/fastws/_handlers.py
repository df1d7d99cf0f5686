"""Who handles what: event names, routes, arity and order of registration.

Knows nothing of the core and of threads but this: tables are replaced whole, so a reader needs no lock. A message handler
gets the message; a lifecycle handler gets the event if it has a required positional parameter or `*args`. In IPython a
cell's re-run replaces what the cell registered.
"""

from __future__ import annotations

import functools
import inspect
import logging
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from ._cells import Cell, InContext, Origin

log = logging.getLogger("fastws")

LIFECYCLE = frozenset({"connecting", "connect", "disconnect", "reconnecting", "error", "dropped", "closed"})
RESERVED = LIFECYCLE | {"message", "binary", "*"}
_BINARY = object()  # stands for the route that a binary message has not
_FOREIGN = {"open": "connect", "close": "disconnect"}  # names of the browser's class that users try


def wants_argument(fn: Callable[..., Any]) -> bool:
    """Whether a lifecycle handler is to be given the event: a required positional parameter, or `*args`."""
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):  # a builtin that hides its signature, print among them on some versions
        return True
    for one in parameters:
        if one.kind is inspect.Parameter.VAR_POSITIONAL:
            return True
        positional = one.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        if positional and one.default is inspect.Parameter.empty:
            return True
    return False


def _checked_route(event: str) -> None:
    try:
        event.encode()
    except UnicodeEncodeError:
        raise ValueError(f"event {event!r} holds a lone surrogate: no message can have that type") from None


def _place(event: str) -> str:
    """Where the handlers of an event stand: a type's in one place, whether it is spelled `x` or `type:x`."""
    return event if event in RESERVED or event.startswith("type:") else f"type:{event}"


_MOST_PLANS = 1024  # a hostile server must not grow a table by routes without end


class Handler:
    """One registered function."""

    __slots__ = (
        "batch",
        "connected_epoch",
        "event",
        "fn",
        "once",
        "origin",
        "own",
        "removed",
        "run",
        "star",
        "takes_event",
    )

    def __init__(
        self, event: str, fn: Callable[..., Any], once: bool, batch: bool, origin: Origin | None = None
    ) -> None:
        self.event = event
        self.fn = fn
        self.origin = origin
        self.run = fn  # what is called: the function, in the context of its cell if there is one
        if origin is not None and origin.context is not None:
            self.run = functools.partial(origin.context.run, fn)
        self.once = once
        self.batch = batch  # gets the messages of a slice as one list
        self.star = event == "*"
        self.takes_event = event not in LIFECYCLE or wants_argument(fn)
        self.own = False  # the client's, not the user's: off(event) leaves it
        self.removed = False
        self.connected_epoch = 0  # connect: the connection it was called for last

    def call(self, event: str, payload: Any) -> Any:
        """Call the function with as much as it takes. `event`: what a `*` handler is told, besides."""
        if self.star:
            if self.batch:
                return self.run(payload if event == "*" else [(event, payload)])
            return self.run(event, payload)
        return self.run(payload) if self.takes_event else self.run()

    def awaitable(self, result: Any) -> Any:
        """What is to be awaited of what `call` gave: a coroutine goes on where the function's output goes."""
        context = None if self.origin is None else self.origin.context
        return InContext(context, result) if context is not None and inspect.iscoroutine(result) else result

    def beside(self, fn: Callable[..., Any], *args: Any, **named: Any) -> None:
        """Call another function where this one's output goes."""
        context = None if self.origin is None else self.origin.context
        if context is None:
            fn(*args, **named)
        else:
            context.run(fn, *args, **named)


class Plan(NamedTuple):
    """Who gets a message: one by one, and who as part of a list."""

    each: tuple[Handler, ...]
    batched: tuple[Handler, ...]


class HandlerTable:
    """The handlers of one client, by event, in order of registration. A type's stand under `type:<name>`."""

    __slots__ = ("_by_event", "_lock", "_plans", "_warned", "direct")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_event: dict[str, tuple[Handler, ...]] = {}
        self._plans: dict[object, Plan] = {}
        # Route -> (handler, what to call, handler, what to call ...), to be called with a message alone; None: they want more.
        self.direct: dict[str | None, tuple[Any, ...] | None] = {}
        self._warned: frozenset[str] = frozenset()  # an empty set takes 216 bytes, and most never warn

    def add(
        self,
        event: str,
        fn: Callable[..., Any],
        once: bool = False,
        *,
        batch: bool = False,
        in_connect: bool = False,
        origin: Origin | None = None,
    ) -> Handler | None:
        """Register; None = the same function handles this event already (it runs once). `in_connect`: in a handler of
        `connect`, where a function that is made anew each time would be added at every reconnect. `origin`: what an older
        run of its cell registered for this event goes."""
        if not isinstance(event, str):
            raise TypeError(f"event must be a str, not {type(event).__name__}")
        _checked_route(event)
        if not callable(fn):
            raise TypeError(f"the handler of {event!r} must be callable, not {type(fn).__name__}")
        if batch and event in LIFECYCLE:
            raise ValueError(f"batch=True is for messages: {event!r} is told one at a time")
        if event in _FOREIGN:
            self.warn_once(
                event,
                "on(%r) handles server messages of that type; the connection's own event is called %r "
                "(on('type:%s') says that the type is meant)",
                event,
                _FOREIGN[event],
                event,
            )
        place = _place(event)
        with self._lock:
            present = self._by_event.get(place, ())
            replaced = [
                one for one in present if origin is not None and origin.replaces(fn, one.origin, one.fn)
            ]
            if replaced:
                present = self._without(place, replaced)
            if any(one.fn == fn for one in present):
                return None
            code = getattr(fn, "__code__", None)
            if (
                in_connect
                and code is not None
                and any(getattr(one.fn, "__code__", None) is code for one in present)
            ):
                self.warn_once(
                    f"connect:{event}",
                    "a handler of 'connect' adds another handler of %r at every reconnect, and all of them run: "
                    "register it once, outside",
                    event,
                )
            made = Handler(event, fn, once, batch, origin)
            # Who takes the place of one that the present connection was told to, has been told.
            made.connected_epoch = max((one.connected_epoch for one in replaced), default=0)
            self._replace(place, (*present, made))
            return made

    def add_own(self, event: str, fn: Callable[..., Any]) -> None:
        """Register what the client itself wants of a message; it belongs to no cell, and off(event) leaves it."""
        with self._lock:
            made = Handler(event, fn, once=False, batch=False)
            made.own = True
            place = _place(event)
            self._replace(place, (*self._by_event.get(place, ()), made))

    def remove(self, event: str, fn: Callable[..., Any] | None) -> None:
        """Forget a function, or all that users gave for an event. What is being called goes on; nothing is called
        afterwards."""
        with self._lock:
            place = _place(event)
            present = self._by_event.get(place, ())
            gone = [one for one in present if (not one.own if fn is None else one.fn == fn)]
            self._without(place, gone)

    def remove_older(self, cell: Cell) -> bool:
        """Forget what earlier runs of this cell registered; whether there was something."""
        with self._lock:
            found = False
            for place, handlers in list(self._by_event.items()):
                older = [one for one in handlers if one.origin and one.origin.is_before(cell)]
                if older:
                    found = True
                    self._without(place, older)
            return found

    def discard(self, handler: Handler) -> bool:
        """Forget one that runs once; False = somebody did already."""
        with self._lock:
            if handler.removed:
                return False
            self._without(_place(handler.event), [handler])
            return True

    def _without(self, place: str, gone: list[Handler]) -> tuple[Handler, ...]:
        for one in gone:
            one.removed = True
        kept = tuple(one for one in self._by_event.get(place, ()) if not one.removed)
        self._replace(place, kept)
        return kept

    def _replace(self, place: str, handlers: tuple[Handler, ...]) -> None:
        table = dict(self._by_event)
        if handlers:
            table[place] = handlers
        else:
            table.pop(place, None)
        self._by_event = table
        self._plans = {}
        self.direct.clear()  # in place: who calls from it at this moment finds out with the next message

    def of(self, event: str) -> tuple[Handler, ...]:
        """The handlers of an event."""
        return self._by_event.get(_place(event), ())

    def for_message(self, route: str | None) -> Plan:
        """Who gets a message of this route: `message` handlers, then the type's own, then those of `*`."""
        plans = self._plans
        plan = plans.get(route)
        if plan is None:
            plan = self._plan("message", *(() if route is None else (f"type:{route}",)), "*")
            if len(plans) < _MOST_PLANS:
                plans[route] = plan
        return plan

    def direct_plan(self, route: str | None) -> tuple[Any, ...] | None:
        """What `direct` lacks for a route: put there and given."""
        with self._lock:  # a change meanwhile must not leave an old plan there
            each, batched = self.for_message(route)
            plan: tuple[Any, ...] | None = None
            if route not in RESERVED and not batched and not any(one.once or one.star for one in each):
                plan = tuple(part for one in each for part in (one, one.run))
            if len(self.direct) < _MOST_PLANS:
                self.direct[route] = plan
            return plan

    def for_binary(self) -> Plan:
        """Who gets a binary message."""
        plans = self._plans
        plan = plans.get(_BINARY)
        if plan is None:
            plan = plans[_BINARY] = self._plan("binary", "*")
        return plan

    def _plan(self, *places: str) -> Plan:
        handlers = [one for place in places for one in self._by_event.get(place, ())]
        each = tuple(one for one in handlers if not one.batch)
        return Plan(each, tuple(one for one in handlers if one.batch))

    def wishes(self) -> tuple[list[str], bool, bool]:
        """What the core must keep: (types that have handlers, everything, binary)."""
        table = self._by_event
        routes = [place.removeprefix("type:") for place in table if place not in RESERVED]
        return routes, "message" in table or "*" in table, "binary" in table or "*" in table

    def forked(self) -> None:
        """In a fork's child: a lock that another thread held will never be released."""
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._by_event)

    def warn_reserved(self, route: str) -> None:
        """Say once that a server's type is named like one of our events."""
        self.warn_once(
            f"type:{route}",
            "the server sends messages of type %r, which is the name of an event of this client: "
            "handle them with on('type:%s') or on('message')",
            route,
            route,
        )

    def warn_once(self, key: str, message: str, *args: object) -> None:
        """Log a warning, the first time for this key."""
        if key not in self._warned:
            self._warned |= {key}
            log.warning(message, *args)

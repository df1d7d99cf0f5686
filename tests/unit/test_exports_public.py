"""What `from fastws import ...` offers: a flat, sorted, documented namespace."""

import importlib
import inspect
import pkgutil

import fastws


def test_all_is_sorted_and_whole():
    assert fastws.__all__ == sorted(fastws.__all__)
    modules = {name for _, name, _ in pkgutil.iter_modules(fastws.__path__)}
    public = {name for name in vars(fastws) if not name.startswith("_")} - modules
    assert public | {"__version__"} == set(fastws.__all__)


def test_exports_say_they_live_in_fastws():
    for name in fastws.__all__:
        thing = getattr(fastws, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert thing.__module__ == "fastws", name


def test_exports_are_documented():
    for name in set(fastws.__all__) - {"__version__"}:
        assert inspect.getdoc(getattr(fastws, name)), name


def test_every_exception_and_event_is_exported():
    for room in ("_errors", "_events"):
        module = importlib.import_module(f"fastws.{room}")
        classes = {
            name for name, one in vars(module).items() if inspect.isclass(one) and one.__module__ == "fastws"
        }
        defined = {
            name
            for name, one in vars(module).items()
            if inspect.isclass(one) and one.__module__ == module.__name__ and not name.startswith("_")
        }
        assert classes, room
        assert defined == set(), f"{room} has public classes that fastws does not export"


def test_the_version_is_that_of_the_distribution():
    from importlib.metadata import version

    assert fastws.__version__ == version("fastws")


CLIENTS = [fastws.WebSocketClient, fastws.AsyncWebSocketClient]


def test_both_clients_take_the_same_arguments():
    assert inspect.signature(CLIENTS[0]) == inspect.signature(CLIENTS[1])


def test_both_clients_offer_the_same_calls():
    names = [{name for name in dir(kind) if not name.startswith("_")} for kind in CLIENTS]
    assert names[0] == names[1]
    for name in names[1]:
        one, other = (getattr(kind, name) for kind in CLIENTS)
        if inspect.isfunction(one):
            assert inspect.signature(one).parameters == inspect.signature(other).parameters, name


def test_keyword_arguments_only():
    parameters = inspect.signature(fastws.WebSocketClient).parameters.values()
    positional = [one.name for one in parameters if one.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert positional == ["url"]


def test_public_methods_tell_what_they_do():
    for kind in CLIENTS:
        for name, member in inspect.getmembers(kind):
            if not name.startswith("_"):
                assert inspect.getdoc(member), name

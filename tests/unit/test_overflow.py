"""The setting `overflow`: what it takes, how it reaches the core, and what it refuses by name."""

import copy
import pickle

import pytest

from fastws import Latest
from fastws._overflow import overflow_setting


def setting(overflow, *, decode="json", routed=True):
    return overflow_setting(overflow, decode=decode, routed=routed)


@pytest.mark.parametrize("name", ["pause", "drop_oldest", "drop_newest"])
def test_one_policy_is_for_everything(name):
    policy = (name, "")
    assert setting(name) == {"others": policy, "unrouted": policy, "binary": policy, "by_route": {}}


def test_latest_is_for_everything_that_has_keys():
    policy = ("latest", "symbol")
    expected = {"others": policy, "unrouted": policy, "binary": ("pause", ""), "by_route": {}}
    assert setting(Latest("symbol")) == expected


def test_a_mapping_names_routes_and_the_rest():
    given = {
        "trade": "drop_oldest",
        "tick": Latest("s"),
        "*": "drop_newest",
        "message": "pause",
        "type:error": "pause",
    }
    assert setting(given) == {
        "others": ("drop_newest", ""),
        "unrouted": ("pause", ""),
        "binary": ("drop_newest", ""),
        "by_route": {"trade": ("drop_oldest", ""), "tick": ("latest", "s"), "error": ("pause", "")},
    }


def test_a_mapping_leaves_the_rest_pausing():
    assert setting({"binary": "drop_oldest"}) == {
        "others": ("pause", ""),
        "unrouted": ("pause", ""),
        "binary": ("drop_oldest", ""),
        "by_route": {},
    }


def test_drop_policies_need_no_routes():
    assert setting({"*": "drop_oldest"}, decode="text", routed=False)["unrouted"] == ("drop_oldest", "")


@pytest.mark.parametrize(
    ("overflow", "options", "error", "says"),
    [
        (None, {}, TypeError, "overflow must be a policy's name or a Latest, not NoneType"),
        (5, {}, TypeError, "overflow must be"),
        (Latest, {}, TypeError, "overflow must be"),
        ("drop", {}, ValueError, '"pause", "drop_oldest", "drop_newest", or a Latest, not \'drop\''),
        ({"trade": "latest"}, {}, ValueError, r"overflow\['trade'\] must be one of"),
        ({"trade": None}, {}, TypeError, r"overflow\['trade'\] must be"),
        ({5: "pause"}, {}, TypeError, "overflow: a route must be a str, not int"),
        ({"\ud800": "pause"}, {}, ValueError, "overflow: a route holds a lone surrogate"),
        ({"disconnect": "drop_oldest"}, {}, ValueError, "'type:disconnect'"),
        ({"a": "pause", "type:a": "drop_oldest"}, {}, ValueError, "one route and have two policies"),
        ({"a": "pause"}, {"routed": False}, ValueError, "without route_by no message has a route"),
        ({"a": "pause"}, {"decode": "text"}, ValueError, "decode='text'"),
        (Latest("s"), {"decode": "text"}, ValueError, "overflow: Latest needs objects"),
        ({"*": Latest("s")}, {"decode": "text"}, ValueError, r"overflow\['\*'\]: Latest needs objects"),
    ],
)
def test_what_can_not_be_is_refused_by_name(overflow, options, error, says):
    with pytest.raises(error, match=says):
        setting(overflow, **options)


@pytest.mark.parametrize(("key", "error"), [(5, TypeError), (None, TypeError), ("\ud800", ValueError)])
def test_latest_checks_its_key(key, error):
    with pytest.raises(error, match=r"Latest\(key=\)"):
        Latest(key)


def test_latest_is_a_value():
    one = Latest("symbol")
    assert one == Latest("symbol")
    assert hash(one) == hash(Latest("symbol"))
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == one
    assert repr(one) == "Latest(key='symbol')"
    with pytest.raises(AttributeError):
        one.key = "other"

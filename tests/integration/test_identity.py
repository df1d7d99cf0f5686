"""Who a client is: there is no second of it."""

import copy
import pickle

import pytest

from fastws import AsyncWebSocketClient, WebSocketClient

URL = "ws://127.0.0.1:9/"


@pytest.mark.parametrize("kind", [WebSocketClient, AsyncWebSocketClient])
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_client_can_not_be_copied(kind, duplicate):
    ws = kind(URL, autoconnect=False)
    with pytest.raises(TypeError, match=rf"^{kind.__name__} can not be copied or pickled: make one"):
        duplicate(ws)
    ws._begin_close(1000, "")


def test_an_attempt_to_copy_leaves_the_connection_open(opened):
    """A copy would share the core, and end it when it is collected."""
    ws, conn = opened()
    with pytest.raises(TypeError):
        copy.copy(ws)
    assert ws.state == "open" and ws.send({"n": 1})
    assert conn.expect_json() == {"n": 1}

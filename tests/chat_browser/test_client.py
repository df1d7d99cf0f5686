"""The page's WebSocketClient (client.js) in a real Chromium: the rules of the Python client, seen by its events."""

import socket
import threading

import pytest
from chat_rig import free_port

SETUP = """
async ([url, options, what]) => {
  const { WebSocketClient } = await import("/client.js");
  const log = [];
  const ws = new WebSocketClient(url, options);
  for (const event of ["connecting", "connect", "disconnect", "reconnecting", "error", "closed"])
    ws.on(event, (data) => log.push([event, data]));
  const seen = (event, times = 1) => new Promise((done, fail) => {
    const started = performance.now();
    const look = () => {
      if (log.filter(([name]) => name === event).length >= times) done();
      else if (performance.now() - started > 15000) fail(new Error(`no ${event}: ${JSON.stringify(log)}`));
      else setTimeout(look, 5);
    };
    look();
  });
  const result = await new Function("ws", "log", "seen", `return (async () => { ${what} })()`)(ws, log, seen);
  ws.close();
  return { log, result, names: log.map(([name]) => name) };
}
"""


@pytest.fixture
def client(chromium, server):
    """Run JavaScript with a client of this url: client(url, what, **options)."""
    context = chromium.new_context(
        bypass_csp=True
    )  # other ports are reached, and the test's text is a function
    page = context.new_page()
    page.goto(server.page)
    yield lambda url, what, **options: page.evaluate(SETUP, [url, options, what])
    context.close()


def test_failed_attempts_are_told_one_by_one_and_the_waits_grow_within_their_bounds(client):
    url = f"ws://127.0.0.1:{free_port()}/"
    run = client(url, "await seen('reconnecting', 6); ws.close(); ", base=0.04, cap=0.3)
    assert run["names"][:7] == ["connecting", "error", "reconnecting"] * 2 + ["connecting"]
    assert "disconnect" not in run["names"], "it was never connected"
    waits = [data["delay"] for name, data in run["log"] if name == "reconnecting"]
    for number, wait in enumerate(waits):
        most = min(0.3, 0.04 * 2**number)
        assert most / 2 <= wait <= most
    assert len(set(waits)) == len(waits), "jittered"
    assert [data["attempt"] for name, data in run["log"] if name == "reconnecting"][:6] == [1, 2, 3, 4, 5, 6]
    assert run["names"][-1] == "closed"


def test_the_reference_schedule_is_the_upper_bound(client):
    """1, 2, 4, 8, 16, 30, 30 s: read off the events, by a clock that is turned on by hand."""
    run = client(
        f"ws://127.0.0.1:{free_port()}/",
        """
        const real = window.setTimeout;
        window.setTimeout = (fn, ms) => real(fn, ms > 400 && ms !== 10000 ? 0 : ms);
        await seen("reconnecting", 9);
        window.setTimeout = real;
        """,
    )
    waits = [data["delay"] for name, data in run["log"] if name == "reconnecting"][:9]
    for wait, most in zip(waits, [1, 2, 4, 8, 16, 30, 30, 30, 30], strict=True):
        assert most / 2 <= wait <= most


def test_disconnect_is_paired_with_connect_and_the_wait_grows_for_a_server_that_accepts_and_drops(
    client, server
):
    """A connection shorter than min-uptime is no success: the wait goes on growing."""
    run = client(
        server.url,
        """
        ws.on("connect", () => { for (let i = 0; i < 30; i++) ws.send("nonsense"); });
        await seen("connect", 3);
        await seen("reconnecting", 3);
        """,
        base=0.05,
    )
    assert run["names"].count("connect") >= 3
    paired = [name for name in run["names"] if name in ("connect", "disconnect")]
    assert paired[:6] == ["connect", "disconnect"] * 3
    codes = [data["code"] for name, data in run["log"] if name == "disconnect"]
    assert codes[:3] == [1008] * 3
    attempts = [data["attempt"] for name, data in run["log"] if name == "reconnecting"]
    assert attempts[:3] == [1, 2, 3]
    assert [data["isReconnect"] for name, data in run["log"] if name == "connect"][:3] == [False, True, True]


def test_a_stable_connection_starts_the_wait_over(client, server):
    run = client(
        server.url,
        """
        ws.on("connect", () => setTimeout(() => { for (let i = 0; i < 30; i++) ws.send("nonsense"); }, 100));
        await seen("reconnecting", 3);
        """,
        base=0.05,
        minUptime=0.05,
    )
    assert [data["attempt"] for name, data in run["log"] if name == "reconnecting"][:3] == [1, 1, 1]


def test_a_message_can_not_play_the_connections_part(client):
    """A server that sends {"type": "disconnect"} fires "message" and nothing else."""
    from fastws.testing import ScriptedServer

    def script(conn):
        conn.accept()
        for text in (
            '{"type":"disconnect"}',
            '{"type":"connect"}',
            "no json",
            "null",
            "3",
            '{"type":["x"]}',
            '{"type":"real"}',
        ):
            conn.send(text)
        conn.expect()

    with ScriptedServer(script) as scripted:
        run = client(
            scripted.url,
            """
            const got = [];
            ws.on("message", (message) => got.push(message)).on("real", () => got.push("routed"));
            await seen("connect");
            for (let i = 0; i < 500 && !got.includes("routed"); i++) await new Promise((go) => setTimeout(go, 10));
            ws.send({ type: "enough" });
            return got;
            """,
        )
    assert run["result"] == [
        {"type": "disconnect"}, {"type": "connect"}, None, 3, {"type": ["x"]}, {"type": "real"}, "routed",
    ]  # fmt: skip
    assert run["names"].count("connect") == 1
    assert run["names"].count("disconnect") == 1, "the one of close()"


def test_close_is_final_in_every_state(client, server):
    url = f"ws://127.0.0.1:{free_port()}/"
    waiting = client(
        url,
        "await seen('reconnecting'); ws.close(); await new Promise((go) => setTimeout(go, 200));",
        base=0.05,
    )
    assert waiting["names"][-1] == "closed"
    assert waiting["names"].count("closed") == 1
    early = client(server.url, "ws.close(); await new Promise((go) => setTimeout(go, 200));")
    assert early["names"] == ["closed"]
    opened = client(
        server.url, "await seen('connect'); ws.close(); await new Promise((go) => setTimeout(go, 200));"
    )
    assert opened["names"] == ["connecting", "connect", "disconnect", "closed"]
    in_handler = client(
        server.url,
        "ws.on('connect', () => ws.close()); await seen('closed'); await new Promise((go) => setTimeout(go, 200));",
    )
    assert in_handler["names"] == ["connecting", "connect", "disconnect", "closed"]


def test_reconnect_leaves_one_connection(client, server):
    run = client(
        server.url,
        """
        await seen("connect");
        for (let i = 0; i < 5; i++) ws.reconnect();
        await seen("connect", 2);
        await new Promise((go) => setTimeout(go, 200));
        return ws.send({ type: "ping" });
        """,
    )
    assert run["result"] is True
    assert run["names"].count("connect") == 2
    assert run["names"][:3] == ["connecting", "connect", "disconnect"]


def test_an_attempt_that_gets_no_answer_ends(client):
    """A server that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        accepted = []
        threading.Thread(target=lambda: accepted.append(silent.accept()), daemon=True).start()
        run = client(
            f"ws://127.0.0.1:{silent.getsockname()[1]}/",
            "await seen('reconnecting');",
            connectTimeout=0.2,
            base=5,
        )
        assert run["names"][:3] == ["connecting", "error", "reconnecting"]
        assert run["log"][1][1]["message"] == "no answer in time"
        for conn, _ in accepted:
            conn.close()


def test_send_says_whether_it_was_handed_over_and_a_failing_handler_stops_nobody(client, server):
    run = client(
        server.url,
        """
        const before = ws.send({});
        let ran = 0;
        ws.on("connect", () => { throw new Error("mine"); }).on("connect", () => ran++);
        await seen("connect");
        return [before, ran, ws.send({ type: "ping" })];
        """,
    )
    assert run["result"] == [False, 1, True]

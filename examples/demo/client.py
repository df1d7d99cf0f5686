"""The demo's client: connect, subscribe, show what arrives, and say what happens when the server goes away."""

import sys

from live_line import LiveLine

from fastws import Tls, WebSocketClient

url, seconds, ca_file = sys.argv[1], float(sys.argv[2]), sys.argv[3]
screen = LiveLine()
offline = []

ws = WebSocketClient(url, tls=Tls(ca_file=ca_file or None))


@ws.on("connect")
def connected(event):
    again = (
        f"again, after {event.downtime:.1f} s offline" if event.is_reconnect else "to a machine's vital signs"
    )
    screen.say(f"connected {again}; subscribing to 'updates'")
    offline.append(event.downtime)
    ws.send({"type": "subscribe", "channel": "updates"})


ws.on("update", lambda update: screen.show(update))
ws.on("disconnect", lambda event: screen.say(f"connection lost ({event.code}, {event.initiator})"))
ws.on("reconnecting", lambda event: screen.say(f"attempt {event.attempt} in {event.delay:.1f} s"))
ws.on("error", lambda event: screen.say(f"attempt failed: {event.message}"))

ws.wait(timeout=seconds)
ws.close()

stats = ws.stats()
screen.say("")
screen.say(f"messages received      {stats.messages_in:>7}   handled {stats.handled}")
for kind, count in sorted(stats.dropped_by_type.items()):
    screen.say(f"  dropped unhandled    {count:>7}   {kind!r}: never parsed, never a Python object")
screen.say(f"reconnects             {stats.connects - 1:>7}   failed attempts {stats.failures}")
screen.say(f"time offline           {sum(offline):>7.1f} s")
sys.exit(0 if stats.connects == 2 and stats.handled > 20 else 1)

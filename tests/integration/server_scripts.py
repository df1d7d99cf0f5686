"""Scripts of a ScriptedServer that the tests of several files have."""


def echo(conn):
    """Sends back what comes, for as long as something comes."""
    conn.accept()
    while True:
        conn.send(conn.expect())


def after_go(*batches):
    """A script that sends one batch per message it receives."""

    def script(conn):
        for batch in batches:
            conn.expect()
            for message in batch:
                conn.send(message) if isinstance(message, (str, bytes)) else conn.send_json(message)
        conn.expect(30)

    return script

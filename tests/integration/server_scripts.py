"""Scripts of a ScriptedServer that the tests of several files have."""


def echo(conn):
    """Sends back what comes, for as long as something comes."""
    conn.accept()
    while True:
        conn.send(conn.expect())

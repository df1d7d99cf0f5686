"""The Autobahn test suite's fuzzing server, on 127.0.0.1 only and on a free port. Runs under CPython 2.7.

    python2.7 fuzzing_server.py FOLDER [CASE...]

CASE is the beginning of a case's number in whole parts: 9 is a section, 9.7 a group, 9.7.1 one case; without any, all run.
Prints one line of JSON, {"port", "cases", "version"}, then the server's own log; writes reports into FOLDER when it is asked
to, and ends when its standard input does, so that it outlives nobody.
"""

import json
import os
import socket
import sys
import threading

import autobahntestsuite

# The suite chooses Twisted's reactor when it is imported, so it comes first.
import autobahntestsuite.choosereactor
from autobahntestsuite import case, caseset, fuzzing
from twisted.internet import reactor


def chosen(beginnings):
    """The cases that begin with one of these, in the suite's order."""
    all_cases = caseset.CaseSet(
        case.CaseSetname, case.CaseBasename, case.Cases, case.CaseCategories, case.CaseSubCategories
    ).parseSpecCases({"cases": ["*"]})
    for one in beginnings:
        if not any((name + ".").startswith(one + ".") for name in all_cases):
            sys.exit("fuzzing_server.py: the suite has no case " + one)
    return [
        name
        for name in all_cases
        if not beginnings or any((name + ".").startswith(one + ".") for one in beginnings)
    ]


def listen_on(listener):
    """Give the reactor a listening socket of ours: left to itself, the suite listens on every interface."""

    def listen_tcp(port, factory, *_, **__):
        assert port == listener.getsockname()[1]
        return reactor.adoptStreamPort(listener.fileno(), socket.AF_INET, factory)

    reactor.listenTCP = listen_tcp


def end_with_stdin():
    """Wait until nobody holds the other end of our standard input."""
    sys.stdin.read()
    os._exit(0)


def main():
    """Serve for ever."""
    folder, cases = sys.argv[1], chosen(sys.argv[2:])
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(50)
    listener.setblocking(False)
    port = listener.getsockname()[1]
    listen_on(listener)
    ready = json.dumps({"port": port, "cases": cases, "version": autobahntestsuite.version})
    sys.stdout.write(ready + "\n")
    sys.stdout.flush()
    os.dup2(2, 1)
    watch = threading.Thread(target=end_with_stdin)
    watch.daemon = True
    watch.start()
    fuzzing.startServer({"url": "ws://127.0.0.1:" + str(port), "outdir": folder, "cases": cases}, 0)
    reactor.run()


main()

"""What a program says to the test that runs it, a JSON line each on its stdout, and the ends that several programs have.

Knows nothing of fastws. conftest.py's execute() hears it, exits.py judges it.
"""

import json
import os
import sys
import time


def say(*parts):
    """A line: ["ready"] when the test may go on, ["end", time.monotonic()] when main is over, or whatever the test asks for."""
    os.write(1, (json.dumps(parts) + "\n").encode())


def leave(*_):
    """A handler that ends the program."""
    say("end", time.monotonic())
    sys.exit(3)


def finish(ending):
    """Main is over, in this way."""
    say("end", time.monotonic())
    if ending == "exit":
        sys.exit(3)
    elif ending == "exception":
        raise LookupError("of the script")
    elif ending == "os._exit":
        os._exit(5)

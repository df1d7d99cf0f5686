"""A program in which a garbage collection finds a client in a cycle while a fork is under way.

usage: fork_collecting.py before | after_in_parent | after_in_child
"""

import gc
import importlib
import logging
import os
import sys
import time
import warnings

from telling import say

# Registered before fastws is imported: a `before` runs after its own, an `after` before it.
os.register_at_fork(**{sys.argv[1]: gc.collect})
fastws = importlib.import_module("fastws")

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
gc.disable()
cycle = [fastws.WebSocketClient("ws://127.0.0.1:9/")]
cycle.append(cycle)
del cycle
pid = os.fork()
if pid == 0:
    os._exit(7)
until = time.monotonic() + 20
while not (ended := os.waitpid(pid, os.WNOHANG))[0] and time.monotonic() < until:
    time.sleep(0.01)
say("child", os.waitstatus_to_exitcode(ended[1]) if ended[0] else None)

"""The chat example: rooms, history and "is typing", over fastws' public API. `python -m chat`, from the folder above.

`protocol` is what both sides agree on; `server`, `connection`, `room` and the two hubs are the server; `session` is a
client without a face, and `terminal` and `notebook` are faces. The browser's face is in page/. `delay` measures, with real faces.
"""

"""The rows of the suite, one file for each question."""

from __future__ import annotations

from row import Row

from . import filtering, held_gil, main_thread, memory, round_trip, sending, stream, thousand

ALL: tuple[Row, ...] = (
    *stream.ROWS,
    *filtering.ROWS,
    *round_trip.ROWS,
    *main_thread.ROWS,
    *sending.ROWS,
    *memory.ROWS,
    *held_gil.ROWS,
    *thousand.ROWS,
)

"""The fixtures of the chat's tests, which those with a browser share."""

from chat_fixtures import person, room, serve, server, stack, talker

__all__ = ["person", "room", "serve", "server", "stack", "talker"]

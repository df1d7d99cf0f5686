"""The fixtures of the chat's tests, which those with a browser share."""

from chat_fixtures import full_server, person, room, serve, server, stack, talker

__all__ = ["full_server", "person", "room", "serve", "server", "stack", "talker"]

"""How long it takes from one person's key to another person's screen, with real faces: `python -m chat.delay`.

`terminal` and `pages` are the faces as a person has them (keys, and what is seen), `chromium` and `jupyter` are what two of them
need; `__main__` measures.
"""

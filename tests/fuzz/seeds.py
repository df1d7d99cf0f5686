"""Writes the first inputs of a fuzz target: `seeds.py reader|scan|writer FOLDER`. libFuzzer makes all others of them.

Texts that json.loads takes, refuses, and takes where RFC 8259 leaves it open, in the manner of a JSON test suite; for the
writer, programs of the machine in objects.py.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from objects import OPERATIONS, Machine

TAKEN = [
    b"null", b"true", b"false", b"0", b"-0", b"-0.0", b"1", b"-1", b"1e3", b"1E+3", b"0.5e-3", b'""', b'"a"', b"[]",
    b"{}", b" [ 1 , 2 ]\t\r\n", b'"\\"\\\\\\/\\b\\f\\n\\r\\t"', b'"\\u0041\\u00e9\\u4e16\\ud83d\\ude00\\u0000"',
    "\"é世😀\u2028\ufeff\x7f\"".encode(), "{\"é\":{\"世\":\"😀\"}}".encode(),
    b"9007199254740993", b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808",
    b"18446744073709551616", b"36028797018963967", b"36028797018963968", b"1" * 300, b"1" * 301,
    b"[128.74836467836484838364836483643636483648e-336]", b"0.184467440737095516159", b"2.2250738585072011e-308",
    b"5e-324", b"2.4703282292062327e-324", b"1.7976931348623158e308", b"9007199254740992.5", b"1." + b"0" * 400 + b"1",
    b"0." + b"0" * 340 + b"17e+20", b"123456789012345678901234567890e-20", b"1e22", b"1e23", b"1e-22",
    b'{"a":1,"a":2}', b'{"a":{"a":{"a":[]}},"b":[[[]]]}', b'[{"id":1,"name":"x"},{"id":2,"name":"x"},{"id":3,"name":"y"}]',
    b'{"type":"trade","price":64012.5,"id":1234567890123456789,"tags":["abcdef","abcdef"],"ok":true,"no":null}',
    b'[{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7},{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7},{"a":1,"b":2,"c":3}]',
    b'{"' + b"k" * 40 + b'":1,"' + b"k" * 41 + b'":2,"' + b"k" * 64 + b'":3,"' + b"k" * 65 + b'":4}',
    b'["' + b"s" * 24 + b'","' + b"s" * 24 + b'","' + b"s" * 25 + b'"]', b"[" * 499 + b"]" * 499,
    b"{" + b",".join(b'"k%d":%d' % (n, n) for n in range(33)) + b"}",
    b'{"payload":"' + b"x" * 100 + b'\\"\\\\","type":"late"}', b'{"t\\u0079pe":"\\u00e9","a":{"type":"x"},"type":"z"}',
    b'{"type":["a"],"a":"]}","b":"type"}', b'{"":"empty","type":"\\ud83d\\ude00"}', b'{"\\"\\\\":"quoted"}',
]  # fmt: skip
REFUSED = [
    b"", b" ", b"[", b"]", b"[1,]", b"[,1]", b"[1 2]", b'{"a"}', b'{"a":}', b'{"a":1,}', b"{1:2}", b"[01]", b"[.5]",
    b"[1.]", b"+1", b"1e", b"1e+", b"--1", b"0x1", b"tru", b"nul", b"True", b"'a'", b'"', b'"a', b'"\\', b'"\\x"',
    b'"\\u12"', b'"\\u12g4"', b'"\n"', b'"\x1f"', b'"\x00"', b"[1]\x00junk", b"[1] x", b"\xef\xbb\xbf[1]", b"/**/1",
    b'"\xff"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\xe4\xb8"', b"\x80", b'{"type":"a"', b"[}",
    b"[" * 1500, b'{"a":' * 600, b"9" * 4301, b'["a\\"]', b"{\"type\":\"a\\\\\\\"}",
]  # fmt: skip
LEFT_OPEN = [
    b"NaN", b"[Infinity,-Infinity]", b"1e400", b"-1e400", b"1e-400", b"1e99999999999", b"[" * 501 + b"]" * 501,
    b"[" * 900 + b"]" * 900, b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\ud800x"', b'"\\ud83d\\u0041"', b'{"type":"\\ud800"}',
    b'{"type":"a","type":NaN}', b'{"type":"a","type":"b"}',
]  # fmt: skip
TEXTS = TAKEN + REFUSED + LEFT_OPEN


def program(*steps: tuple[object, bytes] | object) -> bytes:
    """A program of the machine: operations, each alone or with the bytes it takes."""
    written = b"\1"
    for step in steps:
        operation, takes = step if isinstance(step, tuple) else (step, b"")
        written += bytes([OPERATIONS.index(operation)]) + takes
    return written


PROGRAMS = [
    program(*[(Machine.constant, bytes([n])) for n in range(13)], (Machine.a_list, b"\x0d")),
    program((Machine.integer, b"\x0a" + b"\x99" * 10), (Machine.near_a_power, b"\x3f\x80"), (Machine.a_tuple, b"\2")),
    program((Machine.real, b"\x08\x9a\x99\x99\x99\x99\x99\xb9\x3f"), (Machine.decimal, b"\x03\x40\xe2\x01\x7e")),
    program((Machine.real, b"\x08" + b"\0" * 6 + b"\xf8\x7f"), (Machine.real, b"\x08\1" + b"\0" * 7)),
    program((Machine.latin, b"\x05a\"\\\n\xe9"), (Machine.longer, b"\xff")),
    program((Machine.utf8, b"\x0a" + "é世😀\n".encode()), (Machine.longer, b"\x20"), Machine.a_subclass),
    program((Machine.utf16, b"\x02\x00\xd8\1"), (Machine.point, b"\x00\xdf\xff"), (Machine.joined, b"\2")),
    program((Machine.latin, b"\1a"), (Machine.small, b"\2"), (Machine.latin, b"\1b"), (Machine.real, b"\0"),
            (Machine.a_dict, b"\0\4"), (Machine.again, b"\0"), (Machine.a_dict, b"\4\2"), (Machine.nested, b"\x40")),
    program((Machine.latin, b"\2id"), (Machine.latin, b"\4name"), (Machine.records, b"\2\4"), (Machine.a_cycle, b"\0")),
    program((Machine.small, b"\1"), (Machine.real, b"\0"), (Machine.constant, b"\1"), (Machine.a_dict, b"\3\4")),
    program(*[(Machine.of_the_library, b"\x10" + bytes(range(1, 17)) + bytes([n])) for n in range(8)]),
    program((Machine.latin, b"\1x"), (Machine.a_dataclass, b"\0"), (Machine.foreign, b"\7"), (Machine.a_list, b"\2")),
    program((Machine.latin, b"\1x"), (Machine.a_dataclass, b"\1"), (Machine.near_a_power_of_ten, b"\x24\0")),
    program(*[(Machine.foreign, bytes([n])) for n in range(9)]),
    program((Machine.small, b"\0"), (Machine.nested, b"\xff"), (Machine.nested, b"\xff"), (Machine.nested, b"\xff")),
    program((Machine.parsed, b'\x0b{"a":[1.5]}'), Machine.a_subclass),
    *[program((Machine.parsed_rest, text)) for text in TAKEN + LEFT_OPEN],
]  # fmt: skip


def inputs(target: str) -> Iterator[bytes]:
    if target == "reader":
        yield from TEXTS
    elif target == "writer":
        yield from PROGRAMS
    else:  # the first byte chooses the keys
        yield from (bytes([keys]) + text for text in TEXTS for keys in range(7))


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(inputs(sys.argv[1])):
        (folder / f"{number:04}").write_bytes(data)

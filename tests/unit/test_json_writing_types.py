"""JSON writing of what json.dumps refuses and orjson writes: times, UUIDs, enums, dataclasses."""

import dataclasses
import datetime
import enum
import uuid
import zoneinfo
from typing import ClassVar

import pytest

from fastws import _core


class Name(str, enum.Enum):
    ADA = "ada"


UTC = datetime.timezone.utc


def zone(seconds: int) -> datetime.timezone:
    return datetime.timezone(datetime.timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        (datetime.datetime(2024, 2, 29, 1, 2, 3), "2024-02-29T01:02:03"),
        (datetime.datetime(1, 1, 1, 0, 0, 0, 7), "0001-01-01T00:00:00.000007"),
        (datetime.datetime(2024, 1, 1, tzinfo=UTC), "2024-01-01T00:00:00+00:00"),
        (datetime.datetime(2024, 1, 1, 0, 0, 0, 120000, tzinfo=UTC), "2024-01-01T00:00:00.120000+00:00"),
        (datetime.datetime(2024, 1, 1, tzinfo=zone(0)), "2024-01-01T00:00:00+00:00"),
        (datetime.datetime(2024, 1, 1, tzinfo=zone(19800)), "2024-01-01T00:00:00+05:30"),
        (datetime.datetime(2024, 1, 1, tzinfo=zone(-12600)), "2024-01-01T00:00:00-03:30"),
        (datetime.datetime(2024, 1, 1, tzinfo=zone(-86340)), "2024-01-01T00:00:00-23:59"),
        (datetime.datetime(1937, 1, 1, tzinfo=zone(1172)), "1937-01-01T00:00:00+00:20"),
        (datetime.datetime(1937, 1, 1, tzinfo=zone(1169)), "1937-01-01T00:00:00+00:19"),
        (datetime.datetime(1937, 1, 1, tzinfo=zone(3599)), "1937-01-01T00:00:00+01:00"),
        (datetime.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo("UTC")), "2024-07-01T00:00:00+00:00"),
        (datetime.date(900, 1, 2), "0900-01-02"),
        (datetime.time(1, 2, 3), "01:02:03"),
        (datetime.time(23, 59, 59, 999999), "23:59:59.999999"),
        (uuid.UUID(int=0), "00000000-0000-0000-0000-000000000000"),
        (uuid.UUID(int=2**128 - 1), "ffffffff-ffff-ffff-ffff-ffffffffffff"),
        (uuid.UUID("7202d115-7ff3-4c81-a7c1-2a1f067b1ece"), "7202d115-7ff3-4c81-a7c1-2a1f067b1ece"),
    ],
)
def test_times_and_uuids(obj: object, text: str) -> None:
    assert _core.dumps(obj) == f'"{text}"'
    assert _core.dumps({"a": [obj, 1]}) == f'{{"a":["{text}",1]}}'


def test_a_time_with_a_zone_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^datetime\.time must not have tzinfo set at \$\[0\]$"):
        _core.dumps([datetime.time(1, tzinfo=UTC)], lambda _: "asked")


def test_a_failing_zone_raises_its_own_error() -> None:
    class Broken(datetime.tzinfo):
        def utcoffset(self, _: datetime.datetime | None) -> datetime.timedelta:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        _core.dumps([datetime.datetime(2024, 1, 1, tzinfo=Broken())])


def test_an_enum_is_its_value() -> None:
    class Kind(enum.Enum):
        TEXT = "text"
        MANY = (1, [2.5, None])
        NESTED = Name.ADA
        DAY = datetime.date(2024, 1, 1)
        BAD = object()

    assert _core.dumps(list(Kind)[:-1]) == '["text",[1,[2.5,null]],"ada","2024-01-01"]'
    with pytest.raises(TypeError, match=r"^Object of type object is not JSON serializable at \$\.a$"):
        _core.dumps({"a": Kind.BAD})


@dataclasses.dataclass
class Order:
    symbol: str
    price: float
    _secret: int = 7
    parts: list["Order"] = dataclasses.field(default_factory=list)
    unset: int = dataclasses.field(init=False)
    shared: ClassVar[int] = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    b: int
    a: Order | None = None


class Derived(Order):
    pass


def test_a_dataclass_is_an_object_of_its_public_fields_in_order() -> None:
    order = Order("X", 1.5, parts=[Order("Y", 2.0)])
    assert _core.dumps(order) == '{"symbol":"X","price":1.5,"parts":[{"symbol":"Y","price":2.0,"parts":[]}]}'
    assert _core.dumps(Slotted(1, Derived("Z", 0.0))) == '{"b":1,"a":{"symbol":"Z","price":0.0,"parts":[]}}'
    with pytest.raises(TypeError, match=r"^Object of type set is not JSON serializable at \$\.parts\[0\]$"):
        _core.dumps(Order("X", 1.0, parts=[{1}]))  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"^Object of type type is not JSON serializable"):
        _core.dumps(Order)

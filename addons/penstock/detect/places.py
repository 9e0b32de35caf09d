"""Days on which somebody may have been born, and places on the earth."""

from __future__ import annotations

import datetime as dt
from typing import Final

import regex

from penstock.detect.view import fold

_NUMBER: Final = regex.compile(r"[0-9]+")
_FRACTION: Final = regex.compile(r"(?<=\.)[0-9]+")
_WORD: Final = regex.compile(r"[A-Za-z\u00c0-\u024f\u0410-\u045f]{3,}")
_FLOAT: Final = regex.compile(r"[0-9]+(?:\.[0-9]+)?")
_TIME: Final = regex.compile(r"[T ][0-9]{2}:.*")
_OLDEST: Final = 130
_MONTHS: Final = (
    "jan ene gen sty led jän oca янв січ tammi", "feb fév fev fab únor fevereiro lut şub фев лют helmi",
    "mar mär mrt mrz мар бер maalis", "apr avr abr kwi nis апр кві huhti", "may mai mag maj mei мая май тра touko",
    "jun juin giu cze kesä haz июн чер", "jul juil lug lip heinä tem июл", "aug août ago aou sie ağu авг сер elo",
    "sep set wrz syys eyl сен вер", "oct okt ott out paź loka eki окт жов", "nov lis marras kas ноя",
    "dec dez dic déc gru joulu ara дек гру",
)  # fmt: skip
_MONTH: Final = {fold(start): month for month, starts in enumerate(_MONTHS, 1) for start in starts.split()}


def _is_birth(year: int, month: int, day: int) -> bool:
    today = dt.date.today()
    if year < 100:
        year += 2000 if 2000 + year <= today.year else 1900
    try:
        date = dt.date(year, month, day)
    except ValueError:
        return False
    return today.year - _OLDEST <= date.year and date <= today


def birthday(value: str) -> bool:
    """A day that was, at most 130 years ago; day and month in either order."""
    value = _TIME.sub("", value)
    numbers = [int(number) for number in _NUMBER.findall(value)]
    if word := _WORD.search(value.lower().replace("of ", "").replace("del ", "").replace("di ", "")):
        month = next((_MONTH[word[0][:size]] for size in (5, 4, 3) if word[0][:size] in _MONTH), 0)
        return len(numbers) == 2 and _is_birth(numbers[1], month, numbers[0])
    if len(numbers) == 1:
        numbers = [int(value[:4]), int(value[4:6]), int(value[6:8])]
        if _is_birth(*numbers):
            return True
        numbers = [int(value[:2]), int(value[2:4]), int(value[4:])]
    if len(numbers) != 3:
        return False
    a, b, c = numbers
    return _is_birth(a, b, c) if a > 99 else _is_birth(c, b, a) or _is_birth(c, a, b)


def coordinates(value: str) -> bool:
    """Degrees within 90 and 180, minutes and seconds within 60; not nowhere in particular (0, 0)."""
    numbers = [float(number) for number in _FLOAT.findall(value)]
    if "°" in value and len(numbers) >= 4:
        half = len(numbers) // 2
        degrees, rest = (numbers[0], numbers[half]), numbers[1:half] + numbers[half + 1 :]
        return degrees[0] <= 90 and degrees[1] <= 180 and all(each < 60 for each in rest)
    if len(numbers) == 1:
        return numbers[0] <= 180 and len(value.partition(".")[2]) >= 3
    fine = "°" in value or any(len(part) > 2 for part in _FRACTION.findall(value))
    return len(numbers) == 2 and numbers[0] <= 90 and numbers[1] <= 180 and any(numbers) and fine

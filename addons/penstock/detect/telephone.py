"""Which digits are a telephone number: the numbering plans, from the metadata that comes with `phonenumbers`.

Its own parser takes a tenth of a millisecond a number and a country. Here each country's plan becomes one pattern, so
that a text full of numbers costs no more than one full of words.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import phonenumbers
import regex

REGIONS: Final = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "CH", "IN", "BR", "AU", "JP", "CN", "MX", "DK")
"""Where a number without a country code may be from."""
_FICTION: Final = {
    "US": "555[0-9]{7}|555[0-9]{4}|1234567890",
    "GB": "7700900[0-9]{3}|1632960[0-9]{3}",
    "FR": "63998[0-9]{4}",
    "IE": "2091[0-9]{5}",
}
"""Numbers that no plan gives out and everybody writes: who puts one into a text means a telephone number."""
_KINDS: Final = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
    "voicemail",
)  # fmt: skip
_DATE: Final = regex.compile(
    r"(?:(?:19|20)[0-9]{2}([./-])[0-9]{1,2}\1[0-9]{1,2}|[0-9]{1,2}([./-])[0-9]{1,2}\2(?:19|20)[0-9]{2})(?![0-9])"
)
_NOT_DIGIT: Final = regex.compile(r"[^0-9]+")


@lru_cache(4096)
def phone(value: str) -> bool:
    """A number that can be dialled: valid in the country that it names or, without one, in one of `REGIONS`."""
    digits = _NOT_DIGIT.sub("", value)
    if (
        not 7 <= len(digits) <= 17
        or (len(set(digits)) == 1 and digits != "5" * 10)
        or _DATE.search(value)
        or _is_figure(value)
    ):
        return False
    if "+" not in value and not digits.startswith("00"):
        return _national().fullmatch(digits) is not None
    number = digits.removeprefix("00")
    codes = [int(number[:length]) for length in (1, 2, 3)] if number[0] != "0" else []
    code = next((code for code in codes if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), None)
    return code is not None and _plan(code).fullmatch(number[len(str(code)) :]) is not None


def _is_figure(value: str) -> bool:
    """A decimal fraction, or a row of single digits: 86087.7578, RFC 4291 2.5.5.2."""
    groups = _NOT_DIGIT.split(value.lstrip("+("))
    return (len(groups) == 2 and "." in value) or sum(len(group) == 1 for group in groups) > 2


@lru_cache(1)
def _national() -> regex.Pattern[str]:
    """Any number of `REGIONS`, as it is dialled within the country or without its trunk prefix."""
    return regex.compile("|".join(_dialled(region) for region in REGIONS), regex.VERSION0)


@lru_cache(256)
def _plan(code: int) -> regex.Pattern[str]:
    """The numbers behind a country code; a trunk prefix is often written there, too: +44 (0)20 ..."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    return regex.compile("|".join(_dialled(code if region == "001" else region) for region in regions), regex.VERSION0)


def _dialled(region: str | int) -> str:
    """The numbers of a country, or of an international service (told by its code): of the right form, of some kind."""
    metadata = phonenumbers.PhoneMetadata
    if isinstance(region, int):
        plan = metadata.metadata_for_nongeo_region(region)
    else:
        plan = metadata.metadata_for_region(region)
    assert plan is not None and plan.general_desc is not None
    kinds = [getattr(plan, kind) for kind in _KINDS]
    patterns = [kind.national_number_pattern for kind in kinds if kind is not None and kind.national_number_pattern]
    trunk = f"(?:{plan.national_prefix})?" if plan.national_prefix else ""
    made_up = f"|{_FICTION[region]}" if region in _FICTION else ""
    return f"{trunk}(?:(?=(?:{plan.general_desc.national_number_pattern})$)(?:{'|'.join(patterns)}){made_up})"

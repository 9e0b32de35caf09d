"""What tells a value from something that only looks like one."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import regex

from penstock.detect import numbers
from penstock.detect.telephone import phone

_NOT_DIGIT: Final = regex.compile(r"[^0-9]+")
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(value: str) -> bool:
    """ISO/IEC 7812-1 annex B, over the digits of a value; all zeros hold by arithmetic only, and do not count."""
    digits = [int(digit) for digit in _NOT_DIGIT.sub("", value)]
    total = sum(digits[-1::-2]) + sum(_DOUBLED[digit] for digit in digits[-2::-2])
    return total % 10 == 0 and any(digits)


# First digits that are issued -> how long such a number is (public ranges: ISO/IEC 7812, the networks' own pages).
_ISSUED: Final = (
    ("1", "1", (15,)),  # UATP
    ("2200", "2204", (16, 17, 18, 19)),  # Mir
    ("2221", "2720", (16,)),  # Mastercard
    ("300", "305", (14, 15, 16, 17, 18, 19)),  # Diners
    ("3095", "3095", (14, 15, 16, 17, 18, 19)),
    ("34", "34", (15,)),  # American Express
    ("3528", "3589", (16, 17, 18, 19)),  # JCB
    ("36", "36", (14, 15, 16, 17, 18, 19)),  # Diners
    ("37", "37", (15,)),  # American Express
    ("38", "39", (14, 15, 16, 17, 18, 19)),  # Diners
    ("4", "4", (13, 16, 18, 19)),  # Visa
    ("50", "50", (13, 14, 15, 16, 17, 18, 19)),  # Maestro, Verve, RuPay
    ("51", "55", (16,)),  # Mastercard
    ("56", "69", (13, 14, 15, 16, 17, 18, 19)),  # Maestro, Discover, UnionPay, RuPay
    ("81", "82", (16, 17, 18, 19)),  # UnionPay, RuPay
    ("9792", "9792", (16,)),  # Troy
)


def card(value: str) -> bool:
    """A payment card's number: a length and first digits that are issued, and Luhn."""
    digits = _NOT_DIGIT.sub("", value)
    return len(digits) in _lengths(digits[:4]) and luhn(digits)


def card_length(candidate: str) -> int:
    """How much of a candidate is a card's number: as many digits as its first ones are issued with, most first."""
    lengths = _lengths(_NOT_DIGIT.sub("", candidate[:8])[:4])
    ends = [at for at, character in enumerate(candidate, 1) if character.isdigit()] if lengths else []
    for length in lengths:
        if length <= len(ends):
            end = ends[length - 1]
            if not candidate[end : end + 1].isdigit() and luhn(candidate[:end]):
                return end
    return 0


@lru_cache(10_000)
def _lengths(first: str) -> tuple[int, ...]:
    """How long a number with these first four digits can be, longest first."""
    issued = (lengths for low, high, lengths in _ISSUED if low <= first[: len(low)] <= high)
    return tuple(sorted({length for lengths in issued for length in lengths}, reverse=True))


# ISO 13616 registry: how long an IBAN is -> the countries whose are.
_COUNTRIES: Final = {
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
_IBAN: Final = {country: length for length, countries in _COUNTRIES.items() for country in countries.split()}
_SEPARATOR: Final = regex.compile(r"[^0-9A-Za-z]+")


def iban(value: str) -> bool:
    """ISO 13616: the country's length, and what remains modulo 97 is 1."""
    letters = _SEPARATOR.sub("", value).upper()
    if len(letters) != _IBAN.get(letters[:2]) or not letters.isascii() or not letters[2:4].isdigit():
        return False
    return int("".join(str(int(letter, 36)) for letter in letters[4:] + letters[:4])) % 97 == 1


def iban_length(candidate: str) -> int:
    """How much of a candidate is an IBAN: its country says how many letters and digits belong to it."""
    wanted, seen = _IBAN.get(candidate[:2].upper(), 0), 0
    for at, character in enumerate(candidate, 1):
        seen += character.isalnum()
        if seen == wanted:
            return at if iban(candidate[:at]) else 0
    return 0


_IN_USE: Final = tuple(
    map(
        ipaddress.IPv6Network,
        ("::1/128", "::ffff:0:0/96", "64:ff9b::/32", "100::/64", "2000::/3", "fc00::/7", "fe80::/9", "ff00::/8"),
    )
)


def ipv6(value: str) -> bool:
    """An IPv6 address; one without a digit is more likely a name in a program (`fade::deed`), and a short one out of no
    block that is in use (RFC 4291, IANA's registry) a score or a slice (`3::4`)."""
    try:
        address = ipaddress.IPv6Address(value.partition("%")[0])
    except ValueError:
        return False
    groups = [group for group in value.split(":") if group]
    if len(groups) == 8 and all(len(group) == 2 for group in groups):
        return False  # EUI-64, or the start of a digest in pairs
    return any(map(str.isdigit, value)) and (len(groups) > 3 or any(address in block for block in _IN_USE))


def ip(value: str) -> bool:
    """An IPv4 address as its pattern has it, or an IPv6 address."""
    return ":" not in value or ipv6(value)


def mac(value: str) -> bool:
    """Neither all zeros nor all ones, which are nobody's; without separators digits and letters, or zeros at the
    start: no number, no word."""
    digits = _SEPARATOR.sub("", value)
    alike = (digits.isdigit() and digits[:2] != "00") or digits.isalpha()
    return len(set(digits.lower())) > 1 and not (alike and len(digits) == len(value))


def bic(value: str) -> bool:
    """A country that exists stands after the bank."""
    return value[4:6] in _STATES


_CODES: Final = """
    AD AE AF AG AI AL AM AO AR AT AU AW AZ BA BB BD BE BF BG BH BI BJ BM BN BO BQ BR BS BT BW BY BZ CA CD CF CG CH
    CI CK CL CM CN CO CR CU CV CW CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH
    GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR
    KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MG MK ML MM MN MO MQ MR MS MT MU MV MW MX MY MZ NA NC NE
    NG NI NL NO NP NR NZ OM PA PE PF PG PH PK PL PM PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SK SL
    SM SN SO SR SS ST SV SX SY SZ TC TD TG TH TJ TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VG VN VU WF WS
    XK YE YT ZA ZM ZW
"""
_STATES: Final = frozenset(_CODES.split())

_DAY: Final = regex.compile(r"(?:19|20)[0-9]{2}([ -]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12][0-9]|3[01])(?:[0-9]{4,6})?")


def varied(value: str) -> bool:
    """More than one digit in it, and no row of them (12345678)."""
    digits = _NOT_DIGIT.sub("", value)
    return len(set(digits)) > 1


def account(value: str) -> bool:
    """No date, and not one digit over and over."""
    return varied(value) and _DAY.fullmatch(value) is None


def de_id_card(value: str) -> bool:
    """As `numbers.de_id_card`, without the D that may follow the check digit."""
    return numbers.de_id_card(value[:10])


def nl_bsn(value: str) -> bool:
    """As `numbers.nl_bsn`; one of eight digits has lost its zero."""
    return numbers.nl_bsn(_NOT_DIGIT.sub("", value).rjust(9, "0"))


def ie_pps(value: str) -> bool:
    """As `numbers.ie_pps`; a T or an X at the end (until 2013) does not count, as W does not."""
    letters = _SEPARATOR.sub("", value).upper()
    return numbers.ie_pps(letters[:8] if letters[8:] in ("T", "X") else letters)


def in_pan(value: str) -> bool:
    """A serial number from 0001 on, and not one letter only before it."""
    letters = _SEPARATOR.sub("", value)
    return letters[5:9] != "0000" and len(set(letters[:5])) > 1


def cn_resident(value: str) -> bool:
    """As `numbers.cn_resident`, however it is spaced."""
    return numbers.cn_resident(_SEPARATOR.sub("", value))


_SECOND: Final = str.maketrans("ABCD", "0123")


def tw_id(value: str) -> bool:
    """As `numbers.tw_id`; the second letter of a residence number from before 2021 counts 0 to 3."""
    return numbers.tw_id(value[0] + value[1].upper().translate(_SECOND) + value[2:])


_PLACEHOLDER: Final = regex.compile(
    r"(?i)x{5}|\*{4}|your[-_]|[-_]here|placeholder|example[-_]|redacted|change[-_]?me|abcdefghijklmnop"
)


def not_placeholder(value: str) -> bool:
    """Does not say that something else is to be put here (`ghp_xxxxxxxx`, `your-key-here`)."""
    return _PLACEHOLDER.search(value) is None


def random_looking(value: str) -> bool:
    """Has a digit or a capital, as twenty random characters of a key always do, and a word in a path rarely does."""
    return any(character.isdigit() or character.isupper() for character in value)


def api_key(value: str) -> bool:
    """Looks random, and is no placeholder."""
    return random_looking(value) and not_placeholder(value)


def random_letters(value: str) -> bool:
    """Digits and letters, of ten kinds or more: a key without a mark of its own."""
    return (
        any(map(str.isdigit, value))
        and any(map(str.isalpha, value))
        and len(set(value)) >= 9
        and not_placeholder(value)
    )


_DIGEST: Final = regex.compile("[0-9a-f]{40}|[0-9A-F]{40}")


def aws(value: str) -> bool:
    """An access key's id, or forty random letters that are no SHA-1 digest and no path."""
    if len(value) == 20:
        return not_placeholder(value)
    return (
        api_key(value)
        and _DIGEST.fullmatch(value) is None
        and len(set(value)) >= 12
        and any(map(str.islower, value))
        and any(map(str.isupper, value))
    )


def longest(check: Callable[[str], bool]) -> Callable[[str], int]:
    """How much of a candidate holds: all of it, or else the longest part from its start that ends at a separator."""

    def length(candidate: str) -> int:
        if check(candidate):
            return len(candidate)
        cuts = [separator.start() for separator in _SEPARATOR.finditer(candidate)]
        return next((cut for cut in reversed(cuts) if check(candidate[:cut])), 0)

    return length


CHECKS: Final[dict[str, Callable[[str], bool] | None]] = {
    "none": None,
    "luhn": luhn,
    "iban": iban,
    "phone": phone,
    "us_ssn": numbers.us_ssn,
}
"""Those that a policy may name for a detector of its own."""

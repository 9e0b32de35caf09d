"""Numbers that states and institutions give to people, and how each shows a slip of the pen.

Each function takes a candidate as it is written, separators and all, of the form that its detector's pattern finds, and
says whether its check digits hold, and whatever else its issuer promises: a date of birth that exists, ranges that are
in use.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import regex

_NOT_DIGIT: Final = regex.compile(r"[^0-9]+")
_NOT_ALNUM: Final = regex.compile(r"[^0-9A-Za-z]+")


def digits(value: str) -> list[int]:
    """The digits of a value."""
    return [int(digit) for digit in _NOT_DIGIT.sub("", value)]


def _letters(value: str) -> str:
    return _NOT_ALNUM.sub("", value).upper()


def _weighed(numbers: Sequence[int], weights: Sequence[int]) -> int:
    """The sum of numbers, each times its weight; those without a weight do not count."""
    return sum(number * weight for number, weight in zip(numbers, weights, strict=False))


def _varied(numbers: Sequence[int]) -> bool:
    """Not one digit over and over: many of those hold by arithmetic only."""
    return len(set(numbers)) > 1


def luhn_sum(numbers: Sequence[int]) -> int:
    """ISO/IEC 7812-1 annex B, of all digits: a multiple of ten when they hold."""
    return sum(numbers[-1::-2]) + sum(2 * each - 9 * (each > 4) for each in numbers[-2::-2])


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        dt.date(year, month, day)
    except ValueError:
        return False
    return True


def _pairs(numbers: Sequence[int], at: int = 0) -> tuple[int, int, int]:
    """Three numbers of two digits."""
    a, b, c, d, e, f = numbers[at : at + 6]
    return 10 * a + b, 10 * c + d, 10 * e + f


def us_ssn(value: str) -> bool:
    """A number that the Social Security Administration may have assigned: no area 000, 666 or 9xx, no zero parts."""
    number = _NOT_DIGIT.sub("", value)
    return (
        len(number) == 9
        and number[:3] not in ("000", "666")
        and number[0] != "9"
        and number[3:5] != "00"
        and number[5:] != "0000"
    )


def us_itin(value: str) -> bool:
    """9xx, and a middle part that the IRS gives out (Publication 1915)."""
    number = _NOT_DIGIT.sub("", value)
    middle = int(number[3:5])
    return number[0] == "9" and (50 <= middle <= 65 or 70 <= middle <= 88 or 90 <= middle <= 92 or middle >= 94)


def us_aba(value: str) -> bool:
    """Weights 3, 7, 1, and a Federal Reserve district that exists."""
    number = digits(value)
    district = 10 * number[0] + number[1]
    issued = 1 <= district <= 12 or 21 <= district <= 32 or 61 <= district <= 72 or district == 80
    return issued and _weighed(number, (3, 7, 1) * 3) % 10 == 0


def us_npi(value: str) -> bool:
    """Luhn, with 80840 before it; it starts with 1 or 2."""
    number = digits(value)
    return number[0] in (1, 2) and luhn_sum([8, 0, 8, 4, 0, *number]) % 10 == 0


def ca_sin(value: str) -> bool:
    """Luhn over nine digits."""
    number = digits(value)
    return luhn_sum(number) % 10 == 0 and _varied(number)


def uk_nhs(value: str) -> bool:
    """Weights 10 to 2; modulo 11 tells the last digit."""
    number = digits(value)
    return (11 - _weighed(number, range(10, 1, -1)) % 11) % 11 == number[9] and _varied(number)


_NINO_NEVER: Final = frozenset(("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"))


def uk_nino(value: str) -> bool:
    """A prefix that is given out."""
    return value[:2].upper() not in _NINO_NEVER


def de_tax_id(value: str) -> bool:
    """ISO 7064 modulo 11, 10; of the first ten digits exactly one stands there twice or three times."""
    number = digits(value)
    times = [number[:10].count(digit) for digit in set(number[:10])]
    if number[0] == 0 or max(times) not in (2, 3) or sum(count > 1 for count in times) != 1:
        return False
    product = 10
    for digit in number[:10]:
        product = ((product + digit) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == number[10]


def de_id_card(value: str) -> bool:
    """Weights 7, 3, 1 over letters (A is 10) and digits; the tenth is the check digit, where it is written."""
    text = _letters(value)
    if len(text) == 9:
        return sum(map(str.isdigit, text)) >= 2
    return text[9].isdigit() and _weighed([int(each, 36) for each in text[:9]], (7, 3, 1) * 3) % 10 == int(text[9])


def fr_nir(value: str) -> bool:
    """The key is 97 less the rest modulo 97; Corsica's 2A and 2B count as 19 and 18. Without a key: a month."""
    text = _letters(value).replace("2A", "19").replace("2B", "18")
    if not text.isdigit() or not (1 <= int(text[3:5]) <= 12 or 20 <= int(text[3:5]) <= 42 or int(text[3:5]) >= 50):
        return False
    return len(text) == 13 or 97 - int(text[:13]) % 97 == int(text[13:])


_DNI: Final = "TRWAGMYFPDXBNJZSQVHLCKE"


def es_id(value: str) -> bool:
    """DNI or NIE: the number modulo 23 tells the letter; X, Y, Z stand for 0, 1, 2."""
    text = _letters(value)
    number = text[:-1].translate({88: "0", 89: "1", 90: "2"})
    return number.isdigit() and _DNI[int(number) % 23] == text[-1] and (int(number) > 0)


_CF_ODD: Final = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)


def it_fiscal_code(value: str) -> bool:
    """The last letter is the sum of what the others stand for, those at odd places by a table."""
    text = _letters(value)
    ranks = [int(each) if each.isdigit() else ord(each) - 65 for each in text]
    return (sum(_CF_ODD[rank] for rank in ranks[:15:2]) + sum(ranks[1:15:2])) % 26 == ranks[15]


_CENTURIES: Final = {80: 1800, 0: 1900, 20: 2000, 40: 2100, 60: 2200}


def pl_pesel(value: str) -> bool:
    """Weights 1, 3, 7, 9; a date of birth whose month tells the century."""
    number = digits(value)
    year, month, day = _pairs(number)
    century = month // 20 * 20
    return _weighed(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0 and _is_day(
        _CENTURIES[century] + year, month - century, day
    )


def se_personnummer(value: str) -> bool:
    """Luhn over the last ten digits; a date of birth, or one with 60 added to its day (samordningsnummer)."""
    number = digits(value)[-10:]
    year, month, day = _pairs(number)
    return luhn_sum(number) % 10 == 0 and _is_day(2000 + year, month, day - 60 * (day > 60))


_HETU: Final = "0123456789ABCDEFHJKLMNPRSTUVWXY"


def fi_hetu(value: str) -> bool:
    """Date of birth and serial number, modulo 31, tell the last character."""
    text = value.upper()
    day, month, year = int(text[:2]), int(text[2:4]), int(text[4:6])
    century = {"+": 1800}.get(text[6], 1900 if text[6] in "-UVWXY" else 2000)
    return _is_day(century + year, month, day) and _HETU[int(text[:6] + text[7:10]) % 31] == text[10]


def nl_bsn(value: str) -> bool:
    """The eleven test: weights 9 to 2, and -1."""
    number = digits(value)
    return _weighed(number, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0 and _varied(number)


def be_national(value: str) -> bool:
    """97 less the first nine digits modulo 97; those born from 2000 on count with a 2 before."""
    text = _NOT_DIGIT.sub("", value)
    head, key = int(text[:9]), int(text[9:])
    month, day = int(text[2:4]) % 20, int(text[4:6])
    return (
        int(text[2:4]) <= 52 and month <= 12 and day <= 31 and key in (97 - head % 97, 97 - (2_000_000_000 + head) % 97)
    )


def ch_ahv(value: str) -> bool:
    """EAN-13."""
    number = digits(value)
    return _weighed(number, (1, 3) * 6 + (1,)) % 10 == 0


def dk_cpr(value: str) -> bool:
    """A date of birth; since 2007 its old check no longer holds for all."""
    day, month, year = _pairs(digits(value))
    return _is_day(2000 + year, month, day)


def no_fodselsnummer(value: str) -> bool:
    """Two check digits, modulo 11; a date of birth, or one with 40 added to its day (D-nummer)."""
    number = digits(value)
    day, month, year = _pairs(number)
    return (
        _is_day(2000 + year, month, day - 40 * (day > 40))
        and _weighed(number, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11 == 0
        and _weighed(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0
    )


def pt_nif(value: str) -> bool:
    """Weights 9 to 2; modulo 11 tells the last digit."""
    number = digits(value)
    return (11 - _weighed(number, range(9, 1, -1)) % 11) % 11 % 10 == number[8] and _varied(number)


def ie_pps(value: str) -> bool:
    """Weights 8 to 2, and 9 for a second letter; modulo 23 tells the letter."""
    text = _letters(value)
    second = ord(text[8]) - 64 if len(text) > 8 and text[8] != "W" else 0
    return "WABCDEFGHIJKLMNOPQRSTUV"[(_weighed(digits(text[:7]), range(8, 1, -1)) + 9 * second) % 23] == text[7]


_VERHOEFF_STEP: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def verhoeff(numbers: Sequence[int]) -> bool:
    """Verhoeff's check over all digits: permuted by place, multiplied in the dihedral group of order ten."""
    total = 0
    for place, digit in enumerate(reversed(numbers)):
        for _ in range(place % 8):
            digit = _VERHOEFF_STEP[digit]
        total = _dihedral(total, digit)
    return total == 0


def _dihedral(a: int, b: int) -> int:
    if a < 5:
        return (a + b) % 5 + 5 * (b > 4)
    return (a - b) % 5 + (0 if b > 4 else 5)


_YEARS: Final = regex.compile(r"(?:(?:19|20)[0-9]{2}\D?){2,}")


def in_aadhaar(value: str) -> bool:
    """Verhoeff's check; no row of years, nor the same read backwards (which are not given out)."""
    number = digits(value)
    return verhoeff(number) and number != number[::-1] and not _YEARS.fullmatch(value)


def sg_nric(value: str) -> bool:
    """Weights 2, 7, 6, 5, 4, 3, 2, a start for the series; modulo 11 tells the letter."""
    text = value.upper()
    start, letters = {
        "S": (0, "JZIHGFEDCBA"),
        "T": (4, "JZIHGFEDCBA"),
        "F": (0, "XWUTRQPNMLK"),
        "G": (4, "XWUTRQPNMLK"),
        "M": (3, "XWUTRQPNJLK"),
    }[text[0]]
    return letters[(start + _weighed(digits(text), (2, 7, 6, 5, 4, 3, 2))) % 11] == text[-1]


def au_tfn(value: str) -> bool:
    """Weights, modulo 11; eight digits or nine."""
    number = digits(value)
    weights = (1, 4, 3, 7, 5, 8, 6, 9, 10) if len(number) == 9 else (10, 7, 8, 4, 6, 3, 5, 1)
    return _weighed(number, weights) % 11 == 0 and _varied(number)


def au_abn(value: str) -> bool:
    """The first digit less one; weights, modulo 89."""
    first, *rest = digits(value)
    return first > 0 and _weighed([first - 1, *rest], (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)) % 89 == 0


def au_medicare(value: str) -> bool:
    """Weights 1, 3, 7, 9 tell the ninth digit; then comes the card's issue, and perhaps the place on it."""
    number = digits(value)
    return _weighed(number[:8], (1, 3, 7, 9) * 2) % 10 == number[8] and number[9] > 0


def cn_resident(value: str) -> bool:
    """ISO 7064 modulo 11, 2; a date of birth."""
    text = value.upper()
    if not _is_day(int(text[6:10]), int(text[10:12]), int(text[12:14])):
        return False
    return "10X98765432"[_weighed(digits(text[:17]), [2**place % 11 for place in range(17, 0, -1)]) % 11] == text[17]


def kr_rrn(value: str) -> bool:
    """A date of birth; the check digit, when it is written without its hyphen (since 2020 it is random)."""
    number = digits(value)
    year, month, day = _pairs(number)
    century = 1800 if number[6] in (9, 0) else 1900 if number[6] in (1, 2, 5, 6) else 2000
    if not _is_day(century + year, month, day):
        return False
    holds = (11 - _weighed(number, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10 == number[12]
    return holds or "-" in value


def jp_my_number(value: str) -> bool:
    """Weights 2 to 7 and 2 to 6, from the right; modulo 11 tells the last digit."""
    number = digits(value)
    rest = _weighed(number[10::-1], (2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6)) % 11
    return (0 if rest <= 1 else 11 - rest) == number[11] and _varied(number)


def hk_id(value: str) -> bool:
    """Weights 9 to 1, letters count from 10 on; modulo 11."""
    text = _letters(value).rjust(9)
    ranks = [36 if each == " " else int(each, 36) for each in text[:8]]
    last = 10 if text[8] == "A" else int(text[8], 36)
    return last <= 10 and (_weighed(ranks, range(9, 1, -1)) + last) % 11 == 0


def tw_id(value: str) -> bool:
    """The letter is a number of two digits; weights 1, 9 to 1, and the last digit."""
    rank = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(value[0].upper()) + 10
    number = digits(value)
    return (rank // 10 + rank % 10 * 9 + _weighed(number, (8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


def br_cpf(value: str) -> bool:
    """Two check digits, modulo 11."""
    number = digits(value)
    return _varied(number) and all(
        _weighed(number[:count], range(count + 1, 1, -1)) * 10 % 11 % 10 == number[count] for count in (9, 10)
    )


def br_cnpj(value: str) -> bool:
    """Two check digits, modulo 11, over digits and, since 2026, letters (A counts 17)."""
    ranks = [ord(each) - 48 for each in _letters(value)]
    weights = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    return _varied(ranks) and all(
        -_weighed(ranks[:count], weights[13 - count :]) % 11 % 10 == ranks[count] for count in (12, 13)
    )


def mx_curp(value: str) -> bool:
    """Weights 18 to 2 over digits and letters (N with tilde between N and O); a date of birth."""
    text = value.upper()
    order = "0123456789ABCDEFGHIJKLMN\u00d1OPQRSTUVWXYZ"
    total = _weighed([order.index(each) for each in text[:17]], range(18, 1, -1))
    year, month, day = _pairs(digits(text[4:10]))
    return -total % 10 == int(text[17]) and (_is_day(1900 + year, month, day) or _is_day(2000 + year, month, day))


def cl_rut(value: str) -> bool:
    """Weights 2 to 7, from the right; modulo 11 tells the last character, K for ten."""
    text = _letters(value)
    return "0K987654321"[_weighed(digits(text[:-1])[::-1], (2, 3, 4, 5, 6, 7) * 2) % 11] == text[-1]


def tr_tckn(value: str) -> bool:
    """Two check digits: the sums of odd and even places, and the sum of all."""
    number = digits(value)
    odd, even = sum(number[:9:2]), sum(number[1:8:2])
    return number[0] > 0 and (7 * odd - even) % 10 == number[9] and sum(number[:10]) % 10 == number[10]


def za_id(value: str) -> bool:
    """Luhn; a date of birth; citizen, resident or refugee."""
    number = digits(value)
    year, month, day = _pairs(number)
    born = _is_day(1900 + year, month, day) or _is_day(2000 + year, month, day)
    return born and number[10] <= 2 and luhn_sum(number) % 10 == 0

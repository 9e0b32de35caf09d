"""Numbers of states and institutions: a published one holds, and a slip of the pen is seen."""

from __future__ import annotations

import pytest

from penstock.detect import numbers

PUBLISHED = {
    "uk_nhs": ("943 476 5919",),
    "de_tax_id": ("86095742719", "65 929 970 489"),
    "de_id_card": ("L01X00T471", "T220001293"),
    "fr_nir": ("2 55 08 14 168 025 38", "255081416802538"),
    "es_id": ("12345678Z", "X1234567L"),
    "it_fiscal_code": ("RSSMRA85T10A562S",),
    "pl_pesel": ("44051401359",),
    "se_personnummer": ("811218-9876", "640823-3234"),
    "fi_hetu": ("131052-308T",),
    "nl_bsn": ("111222333",),
    "be_national": ("85.07.30-033.28",),
    "ch_ahv": ("756.9217.0769.85",),
    "no_fodselsnummer": ("01010750160",),
    "pt_nif": ("123456789",),
    "ie_pps": ("1234567T", "1234567FA"),
    "in_aadhaar": ("2341 2341 2346",),
    "sg_nric": ("S1234567D", "F1234567N", "M1234567K"),
    "au_tfn": ("123 456 782",),
    "au_abn": ("51 824 753 556",),
    "au_medicare": ("2123 45670 1",),
    "cn_resident": ("11010519491231002X",),
    "kr_rrn": ("8801011234568",),
    "jp_my_number": ("123456789018",),
    "hk_id": ("A123456(3)",),
    "tw_id": ("A123456789",),
    "br_cpf": ("123.456.789-09",),
    "br_cnpj": ("11.222.333/0001-81", "12.ABC.345/01DE-35"),
    "mx_curp": ("HEGG560427MVZRRL04",),
    "cl_rut": ("12.345.678-5",),
    "tr_tckn": ("10000000146",),
    "za_id": ("8001015009087",),
    "us_npi": ("1234567893",),
    "us_aba": ("021000021",),
    "ca_sin": ("046 454 286",),
}
"""From the issuers' own pages and the literature about the checks."""


@pytest.mark.parametrize(("name", "number"), [(name, number) for name, many in PUBLISHED.items() for number in many])
def test_a_published_number_holds_and_most_slips_do_not(name: str, number: str) -> None:
    check = getattr(numbers, name)
    assert check(number)
    places = [place for place, character in enumerate(number) if character.isdigit()]
    slips = [
        number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :] for place in places for by in (1, 4)
    ]
    assert sum(map(check, slips)) <= len(slips) * 0.16


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("us_itin", "912-93-1234"),
        ("us_itin", "812-70-1234"),
        ("us_aba", "991000021"),
        ("uk_nino", "GB123456A"),
        ("de_tax_id", "12345678901"),
        ("de_id_card", "LXXXXXXXX"),
        ("fr_nir", "2551314168025"),
        ("in_aadhaar", "2019 2020 2021"),
        ("dk_cpr", "331352-1234"),
        ("cn_resident", "11010519491331002X"),
        ("kr_rrn", "881301-1234567"),
        ("ca_sin", "000 000 000"),
        ("br_cpf", "111.111.111-11"),
    ],
)
def test_what_is_never_given_out_does_not_hold(name: str, number: str) -> None:
    assert not getattr(numbers, name)(number)


def test_a_korean_number_with_its_hyphen_needs_a_date_only() -> None:
    assert numbers.kr_rrn("880101-1234560")
    assert not numbers.kr_rrn("8801011234560")


@pytest.mark.parametrize("number", ["2551014168025", "2550814168025"])
def test_a_french_number_may_lack_its_key(number: str) -> None:
    assert numbers.fr_nir(number)


def test_verhoeff_sees_every_transposition() -> None:
    number = numbers.digits("234123412346")
    assert numbers.verhoeff(number)
    for at in range(11):
        swapped = [*number[:at], number[at + 1], number[at], *number[at + 2 :]]
        assert swapped == number or not numbers.verhoeff(swapped)

"""Every built-in detector, with cases that it must find and cases that it must leave alone."""

from __future__ import annotations

import pytest

from penstock.detect.admission import admit
from penstock.detect.detector import DETECTORS, detector
from penstock.masking.mask import Mask, MaskRule

FOUND = {
    "email": (
        "bob@example.com",
        "b@x.io",
        "first.last+tag@sub.domain.example.co.uk",
        "o'brien@example.ie",
        "müller@bücher.example",
        "bob@xn--bcher-kva.example",
        "пользователь@пример.рф",
        "x_%-y@a-b.museum",
        "root@[192.168.0.1]",
        "x" * 64 + "@example.com",
    ),
    "phone": (
        "+1 415 555 2671",
        "+14155552671",
        "+49 89 12345678",
        "+49 (0)89 12345678",
        "+44 20 7946 0958",
        "+33 1 42 68 53 00",
        "+81-3-1234-5678",
        "+91 98765 43210",
        "(415) 555-2671",
        "415-555-2671",
        "415.555.2671",
        "1-800-555-0199",
        "+800 1234 5678",
    ),
    "credit_card": (
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "4242424242424242",
        "5555555555554444",
        "2223003122003222",
        "378282246310005",
        "3782 822463 10005",
        "6011111111111117",
        "30569309025904",
        "3530111333300000",
        "6200000000000005",
        "4222222222222",
        "6759649826438453",
    ),
    "iban": (
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "de89 3704 0044 0532 0130 00",
        "GB29 NWBK 6016 1331 9268 19",
        "FR1420041010050500013M02606",
        "NO93 8601 1117 947",
        "MT84MALT011000012345MTLCAST001S",
    ),
    "us_ssn": ("123-45-6789", "123 45 6789", "123.45.6789", "078-05-1120"),
    "ipv4": ("192.168.1.1", "8.8.8.8", "255.255.255.255", "0.0.0.0"),
    "ipv6": ("2001:db8::1", "::1", "fe80::1%eth0", "2001:0db8:85a3:0000:0000:8a2e:0370:7334", "::ffff:192.0.2.128"),
    "ip": ("192.168.1.1", "2001:db8::1", "::ffff:192.0.2.128"),
    "aws_key": ("AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"),
    "github_token": ("ghp_" + "aB3" * 12, "gho_" + "z9" * 18, "github_pat_" + "A1_" * 28, "ghs_" + "q9" * 100),
    "gitlab_token": ("glpat-" + "aB3_" * 5, "gldt-" + "x4" * 12),
    "openai_key": (
        "sk-" + "aB3" * 16,
        "sk-proj-" + "aB3_-" * 30,
        "sk-ant-api03-" + "aB3_-" * 18 + "AA",
        "sk-or-v1-" + "0123456789abcdef" * 4,
    ),
    "google_key": ("AIza" + "SyA1_-x" * 5,),
    "slack_token": ("xoxb-" + "123456789012-" * 2 + "abcDEF", "xoxp-1234567890"),
    "stripe_key": ("sk_live_" + "a1B2" * 6, "rk_test_" + "0" * 16),
    "huggingface_token": ("hf_" + "aBcD" * 8 + "ef",),
    "jwt": (
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_.XF",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx" + "a" * 20_000 + ".b",
    ),
    "private_key": tuple(
        f"{dashes} BEGIN {kind} {dashes}\nMIIEow\nIBAAKC\n{dashes} END {kind} {dashes}"
        if dashes == "----"
        else f"{dashes}BEGIN {kind}{dashes}\nMIIEow\nIBAAKC\n{dashes}END {kind}{dashes}"
        for dashes, kind in (
            ("-----", "PRIVATE KEY"),
            ("-----", "RSA PRIVATE KEY"),
            ("-----", "EC PRIVATE KEY"),
            ("-----", "DSA PRIVATE KEY"),
            ("-----", "ENCRYPTED PRIVATE KEY"),
            ("-----", "OPENSSH PRIVATE KEY"),
            ("-----", "PGP PRIVATE KEY BLOCK"),
            ("----", "SSH2 ENCRYPTED PRIVATE KEY"),
        )
    ),
}

IN_CONTEXT = {
    "phone": (
        ("call me at ", "030 12345678", "."),
        ("Telefon: ", "089/123456", " (privat)"),
        ('{"phoneNumber": "', "4155552671", '"}'),
        ("手机：", "13812345678", "，谢谢"),
    ),
    "credit_card": (
        ("card ", "4111 1111 1111 1111", " 12/27 cvv 123"),
        ("卡号", "4111111111111111", "是"),
        ("Visa", "4111111111111111", "x"),
        ("card_", "4111111111111111", "_end"),
        ("on ", "4111-1111-1111-1111", "."),
    ),
    "iban": (("an ", "DE89 3704 0044 0532 0130 00", " and then"), ("", "DE89370400440532013000", "EUR")),
    "us_ssn": (
        ("SSN: ", "123456789", "."),
        ("her social security number is ", "123456789", ""),
        ("", "123-45-6789", "."),
    ),
    "ipv4": (("at ", "10.0.0.1", "."), ("http://", "10.0.0.1", ":8080/x"), ("从", "10.0.0.1", "来")),
    "ipv6": (("[", "2001:db8::1", "]:443"), ("at ", "2001:db8::1", ".")),
    "aws_key": (
        ('aws_secret_access_key = "', "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", '"'),
        ("SecretAccessKey: ", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "\n"),
    ),
    "email": (
        ("<", "bob@example.com", ">"),
        ("mailto:", "bob@example.com", "?subject=x"),
        ("'", "bob@example.com", "'"),
        ("write to ", "bob@example.com", ". Thanks"),
        ("邮箱", "bob@example.com", "谢谢"),
        ("致 ", "bob@例子.公司", "。"),
    ),
    "jwt": (
        ("Bearer ", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3", ". Next"),
        ("unsigned ", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NTY3ODkwIn0", "."),
        ("?token=", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3", "&x=1"),
    ),
    "openai_key": (('key="', "sk-proj-" + "aB3_-" * 30, '"'),),
    "private_key": (
        (
            "key:\n",
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nbob@example.com\n-----END RSA PRIVATE KEY-----",
            "\nand more",
        ),
        ("", "-----BEGIN PRIVATE KEY-----\nMIIE and never an end", ""),
        ("", r"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", r"\n"),
    ),
}

LEFT_ALONE = {
    "email": (
        "bob@",
        "@example.com",
        "bob@example",
        "bob @ example.com",
        "a@b",
        "user@localhost",
        "@property",
        "x@1.2",
    ),
    "phone": (
        "on 2024-01-15 10:30",
        "order 12345678",
        "+12 34",
        "1234567",
        "555-2671",
        "call 1111111111",
        "call me on 2024-01-15",
        "+999 1234567",
        "0.4155552671",
        "id=4155552671",
    ),
    "credit_card": (
        "4111111111111112",
        "0000000000000000",
        "41111111111111111111111",
        "1234567890123456",
        "4111 1111  1111 1111",
        "550e8400-e29b-41d4-a716-446655440000",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "4111.111111111111",
    ),
    "iban": (
        "DE89370400440532013001",
        "XX89370400440532013000",
        "DE8937040044053201300",
        "at 10 of the clock we go on",
    ),
    "us_ssn": ("000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000", "123456789", "123-45-67890"),
    "ipv4": ("1.2.3", "256.1.1.1", "1.2.3.256", "1.2.3.4.5", "v1.2.3.4", "1.2.3.4567"),
    "ipv6": ("std::vector", "12:30:45", "::", "a::b", "fade::deed", "de:ad:be:ef", "1:2:3:4:5:6:7:8:9"),
    "ip": ("1.2.3", "12:30:45"),
    "aws_key": (
        "AKIAIOSFODNN7EXAMPL",
        "XAKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "secret " + "a" * 40,
        "secret da39a3ee5e6b4b0d3255bfef95601890afd80709a",
    ),
    "github_token": ("ghp_short", "xghp_" + "aB3" * 12, "ghx_" + "a" * 36),
    "gitlab_token": ("glpat-short", "xglpat-" + "a" * 20),
    "openai_key": ("sk-learn", "task-" + "aB3" * 16, "sk-spinner-something-long-name-of-a-class"),
    "google_key": ("AIza", "AIza-short", "xAIza" + "SyA1_-x" * 5),
    "slack_token": ("xoxb-", "xoxz-1234567890", "xoxo-xoxo-xoxo-xoxo"),
    "stripe_key": ("sk_live_", "task_live_" + "a" * 20, "sk_live_short"),
    "huggingface_token": ("hf_hub_download", "half_" + "a" * 40),
    "jwt": ("eyJhbGciOiJIUzI1NiJ9", "eyJ.eyJ.x", "key.eyJhbGciOiJIUzI1NiJ9", "abc.def.ghi"),
    "private_key": (
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----",
        "BEGIN PRIVATE KEY",
    ),
}


def masked(name: str, text: str) -> str:
    return Mask([MaskRule("r", detector(name))]).whole(text).text


def labelled(name: str) -> str:
    return f"[{detector(name).label}]"


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in FOUND.items() for value in values])
def test_a_value_is_found_whole_wherever_it_stands(name: str, value: str) -> None:
    label = labelled(name)
    assert masked(name, value) == label
    for before, after in ((" ", " "), ("(", ")"), ('"', '"'), ("\n", "\n"), ("是", "是"), ("", ", and"), (": ", ";")):
        assert masked(name, before + value + after) == before + label + after


@pytest.mark.parametrize(
    ("name", "before", "value", "after"), [(name, *case) for name, cases in IN_CONTEXT.items() for case in cases]
)
def test_a_value_is_found_in_its_context_and_nothing_else(name: str, before: str, value: str, after: str) -> None:
    assert masked(name, before + value + after) == before + labelled(name) + after


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in LEFT_ALONE.items() for text in texts])
def test_what_only_looks_like_a_value_is_left_alone(name: str, text: str) -> None:
    whole = Mask([MaskRule("r", detector(name))]).whole(f"see {text} there")
    assert whole.findings == ()
    assert whole.text == f"see {text} there"


@pytest.mark.parametrize("name", [known.name for known in DETECTORS])
def test_every_detector_would_be_admitted_from_a_policy(name: str) -> None:
    admit(detector(name).pattern, streamed=True)


def test_names_and_labels_are_unique_and_plain() -> None:
    assert len({known.name for known in DETECTORS}) == len(DETECTORS)
    assert len({known.label for known in DETECTORS}) == len(DETECTORS)
    assert all(known.label == known.name.upper() for known in DETECTORS)

"""The detectors that come with Penstock.

What stands at the edge of a value is written out in ASCII (`(?<![0-9A-Za-z])`) rather than as `\\b`: Chinese and
Japanese text has no spaces, its characters count as word characters, and a card number between them still is one.
Every pattern is bounded, or has an `until`. Each has labelled cases in `tests/detect`.
"""

from __future__ import annotations

from typing import Final

from penstock.detect import checks
from penstock.detect.telephone import phone
from penstock.detect.value import Detector

# Letters of scripts that put spaces between words; those of the others stand in a label of their own kind.
_LETTER: Final = r"A-Za-z0-9\u00c0-\u1fff"
_IDEOGRAPH: Final = r"\u3041-\u3096\u30a1-\u30fa\u30fc-\u30fe\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
_LABEL: Final = rf"(?:[{_LETTER}](?:[{_LETTER}-]{{0,61}}[{_LETTER}])?|[{_IDEOGRAPH}]{{1,20}})"
_EMAIL: Final = (
    rf"[{_LETTER}_+%][{_LETTER}_.+%'-]{{0,63}}@"
    rf"(?:(?:{_LABEL}\.){{1,8}}(?:[A-Za-z\u00c0-\u1fff]{{2,24}}|xn--[A-Za-z0-9-]{{2,59}}|[{_IDEOGRAPH}]{{2,10}})"
    r"|\[(?:[0-9]{1,3}\.){3}[0-9]{1,3}\])"
)
_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4: Final = rf"(?<![0-9A-Za-z])(?<![0-9]\.)(?:{_OCTET}\.){{3}}{_OCTET}(?![0-9]|\.[0-9])"
_IPV6: Final = (
    rf"(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{{0,4}}:){{2,7}}(?:(?:{_OCTET}\.){{3}}{_OCTET}|[0-9A-Fa-f]{{1,4}})?"
    r"(?![0-9A-Za-z]|:[0-9A-Fa-f:]|\.[0-9])(?:%[0-9A-Za-z._-]{1,16})?"
)
_TELEPHONE: Final = (
    "phone", "telephone", "tel", "mobile", "cell", "cellphone", "landline", "fax", "call", "dial", "sms", "text",
    "whatsapp", "hotline", "number", "telefon", "telefono", "teléfono", "telefone", "téléphone", "handy", "mobil",
    "portable", "rufnummer", "电话", "手机", "電話", "携帯", "전화",
)  # fmt: skip
_SOCIAL: Final = (
    "ssn",
    "ssns",
    "social security",
    "socialsecurity",
    "social_security",
    "social-security",
    "ss#",
    "tax id",
    "tin",
)
_SECRET: Final = ("aws", "secret", "secret key", "secretkey", "access key", "accesskey")

DETECTORS: Final = (
    Detector("email", "EMAIL", _EMAIL),
    Detector(
        "phone",
        "PHONE",
        # An international number, or groups of digits that a context word or their form must speak for.
        r"[0-9+(](?<![0-9A-Za-z+][0-9+(])(?<![0-9][.-][0-9+(])"
        r"(?:(?<=[0-9])|(?<=\+)[ (]{0,2}[0-9]|(?<=\()[0-9]{2,5}\))(?:[ .()/-]{0,3}[0-9]){6,14}(?![0-9])",
        measure=checks.longest(phone),
        context=_TELEPHONE,
        alone=r"\+.*|(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[ .-]\d{4}",
    ),
    Detector(
        "credit_card",
        "CREDIT_CARD",
        # Not the end of a hexadecimal number, nor a part of a UUID.
        r"[0-9](?<![0-9A-Fa-f]{3}[0-9])(?<![0-9][0-9])(?<![0-9A-Fa-f]{4}-[0-9])(?:[ -]?[0-9]){12,18}"
        r"(?![0-9])(?![0-9A-Fa-f]{3})",
        measure=checks.card_length,
    ),
    Detector(
        "iban",
        "IBAN",
        r"(?<![0-9A-Za-z])[A-Za-z]{2}[0-9]{2}(?:[ -]?[0-9A-Za-z]){11,30}",
        measure=checks.iban_length,
    ),
    Detector(
        "us_ssn",
        "US_SSN",
        r"[0-9](?<![0-9][0-9])(?<![0-9][-.][0-9])[0-9]{2}"
        r"(?:-[0-9]{2}-[0-9]{4}|\.[0-9]{2}\.[0-9]{4}| [0-9]{2} [0-9]{4}|[0-9]{6})(?![0-9]|-[0-9])",
        check=checks.us_ssn,
        context=_SOCIAL,
        alone=r"[0-9]{3}([-. ])[0-9]{2}\1[0-9]{4}",
    ),
    Detector("ipv4", "IPV4", _IPV4),
    Detector("ipv6", "IPV6", _IPV6, check=checks.ipv6),
    Detector("ip", "IP", f"{_IPV4}|{_IPV6}", check=checks.ip),
    Detector(
        "aws_key",
        "AWS_KEY",
        r"(?<![0-9A-Za-z/+=])(?:(?:AKIA|ASIA|ABIA|ACCA|A3T[0-9A-Z])[0-9A-Z]{16}(?![0-9A-Za-z])"
        r"|[0-9A-Za-z/+]{40}(?![0-9A-Za-z/+=]))",
        check=checks.random_looking,
        context=_SECRET,
        alone=r"[0-9A-Z]{20}",
    ),
    Detector(
        "github_token",
        "GITHUB_TOKEN",
        r"(?<![0-9A-Za-z])(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{22})",
        until=r"(?![0-9A-Za-z_])",
    ),
    Detector(
        "gitlab_token",
        "GITLAB_TOKEN",
        r"(?<![0-9A-Za-z])gl(?:pat|dt|rt|ptt|soat|cbt|ft|imt|agent|oas)-[0-9A-Za-z_-]{20}",
        until=r"(?![0-9A-Za-z_.-])",
    ),
    Detector(
        "openai_key",
        "OPENAI_KEY",
        # OpenAI's and all that took over its form: Anthropic (sk-ant-), OpenRouter (sk-or-), DeepSeek, LiteLLM, ...
        r"(?<![0-9A-Za-z])sk-[0-9A-Za-z_-]{20}",
        check=checks.random_looking,
        until=r"(?![0-9A-Za-z_-])",
    ),
    Detector(
        "google_key",
        "GOOGLE_KEY",
        r"(?<![0-9A-Za-z])AIza[0-9A-Za-z_-]{35}",
        until=r"(?![0-9A-Za-z_-])",
    ),
    Detector(
        "slack_token",
        "SLACK_TOKEN",
        r"(?<![0-9A-Za-z])xox[abeoprs]-[0-9A-Za-z-]{10}",
        check=checks.random_looking,
        until=r"(?![0-9A-Za-z-])",
    ),
    Detector(
        "stripe_key",
        "STRIPE_KEY",
        r"(?<![0-9A-Za-z])[rs]k_(?:live|test)_[0-9A-Za-z]{16}",
        until=r"(?![0-9A-Za-z])",
    ),
    Detector(
        "huggingface_token",
        "HUGGINGFACE_TOKEN",
        r"(?<![0-9A-Za-z])hf_[0-9A-Za-z]{30}",
        until=r"(?![0-9A-Za-z])",
    ),
    Detector(
        "jwt",
        "JWT",
        # Signed (the second part is an object too) or encrypted (five parts).
        r"(?<![0-9A-Za-z_-])eyJ[0-9A-Za-z_-]{8,3000}\.(?:eyJ[0-9A-Za-z_-]{8}|[0-9A-Za-z_-]{0,1000}\.[0-9A-Za-z_-]{8})",
        until=r"(?![0-9A-Za-z_-]|\.[0-9A-Za-z_-])",
    ),
    Detector(
        "private_key",
        "PRIVATE_KEY",
        # PEM of every kind (RSA, EC, ENCRYPTED, OPENSSH, PGP ... BLOCK), and SSH2 with its four dashes.
        r"(?i)-{4,5} ?BEGIN {1,3}(?:[0-9A-Z]{1,16} {1,3}){0,4}PRIVATE {1,3}KEY(?: {1,3}BLOCK)? ?-{4,5}",
        until=r"(?i)-{4,5} ?END {1,3}(?:[0-9A-Z]{1,16} {1,3}){0,4}PRIVATE {1,3}KEY(?: {1,3}BLOCK)? ?-{4,5}",
    ),
)
"""In the order in which they are told; `ip` is `ipv4` and `ipv6` in one."""

"""How people are reached: mail and telephone."""

from __future__ import annotations

from typing import Final

import regex

from penstock.detect import checks
from penstock.detect.shipped.edges import COUNTED, NUMBERED
from penstock.detect.telephone import phone
from penstock.detect.value import Detector

# Letters of scripts that put spaces between words; those of the others stand in a label of their own kind.
_LETTER: Final = r"A-Za-z0-9\u00c0-\u1fff"
_IDEOGRAPH: Final = r"\u3041-\u3096\u30a1-\u30fa\u30fc-\u30fe\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
_LABEL: Final = rf"(?:[{_LETTER}](?:[{_LETTER}-]{{0,61}}[{_LETTER}])?|[{_IDEOGRAPH}]{{1,20}})"
_EMAIL: Final = (
    # git@host is how the servers of a version control are addressed, whoever asks them.
    r"(?!git@)(?!(?<=g)it@)(?!(?<=gi)t@)"
    rf"[{_LETTER}_+][{_LETTER}_.+%'-]{{0,63}}@"
    r"(?![0-9](?:\.[0-9])?x\.)"  # icon@2x.png
    rf"(?:(?:{_LABEL}\.){{1,8}}(?:[A-Za-z\u00c0-\u1fff]{{2,24}}|xn--[A-Za-z0-9-]{{2,59}}|[{_IDEOGRAPH}]{{2,10}})"
    r"|\[(?:[0-9]{1,3}\.){3}[0-9]{1,3}\])"
)
_TELEPHONE: Final = (
    "phone", "telephone", "tel", "mobile", "cell", "cellphone", "landline", "fax", "dial", "sms", "call me", "call us",
    "call at", "call on", "call him", "call her", "call them", "please call", "call:", "text me", "ring me", "whatsapp",
    "hotline", "helpline", "reach me", "reach us", "reach him", "reach her", "contact me", "contact us", "contact:",
    "contact number", "msisdn", "number is", "my number",
    "her number", "his number", "their number", "phone no", "phone number", "toll free", "extension", "pager",
    "voicemail", "ph", "ph#", "mob", "cel", "phone:", "tel:", "tele", "handset", "contact no", "emergency contact",
    "telefon", "telefonnummer", "tel.-nr", "rufnummer", "handy", "handynummer", "mobil", "mobilnummer", "festnetz",
    "anrufen", "ruf", "rückruf", "erreichbar", "erreichen", "durchwahl",
    "téléphone", "tél", "portable", "mon numéro", "son numéro", "votre numéro", "numéro est", "numéro:",
    "ce numéro", "appelez", "appeler", "joindre", "joignable", "rappeler",
    "telefono", "teléfono", "móvil", "movil", "celular", "llamar", "llama", "llame", "llámame", "fijo",
    "mi número", "su número", "tu número", "número es", "número:", "meu número", "este número",
    "cellulare", "chiamare", "chiamami", "chiama", "recapito",
    "telefone", "telemóvel", "ligue", "ligar", "telefoon", "telefoonnummer", "mobiel", "bellen", "bel",
    "telefonu", "komórka", "puhelin", "puhelinnumero", "tlf", "tlf.nr", "mobiltelefon", "ring mig", "telefonszám",
    "cep",
    "телефон",
    "тел", "звоните",
    "电话", "手机", "電話", "携帯", "전화", "휴대폰", "핸드폰", "联系方式",
    "連絡先", "мой номер", "номер:", "contacto", "kontakt",
    "contatto", "yhteystiedot", "फ़ोन", "मोबाइल", "هاتف", "טלפון",
)  # fmt: skip
_BESIDE: Final = (
    "line", "card", "visa", "mastercard", "amex", "account", "medicare", "passport", "case", "product", "article",
    "item",
    "model", "part", "port", "pan", "sin", "nie", "run", "bic", "swift",
)  # fmt: skip
"""Words that stand beside a telephone number as well (the card's hotline), or are everyday ones somewhere."""
_SPOKEN: Final = (
    r"\+.*|00[1-9][0-9]{1,2}[ .(/-].*"  # international
    r"|(?:1[ .-])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[.-])[2-9][0-9]{2}[ .-][0-9]{4}"  # North America
    r"|(?:1[ .-])?(?:\(555\) ?|555[.-])[0-9]{3}[ .-][0-9]{4}|1[38]00[ -][0-9]{3}[ -][0-9]{3}"  # made up; Australia
    r"|0[1-9](?:[ .-][0-9]{2}){4}"  # France
    r"|0[1-9][0-9]{0,3}[ /-]{1,3}[0-9]{5,8}"  # an area, and all the rest in one
    r"|\(0[0-9]{1,4}\)[ ]?[0-9]{3,8}(?:[ -][0-9]{3,4})?|0[0-9]{2,4} [0-9]{3,4} [0-9]{3,4}"  # with a trunk prefix
)
_DIALLED: Final = checks.longest(phone)
_FRACTION: Final = regex.compile(r"\+?[0-9]{5,}\.[0-9]{1,3}")


def _phone(candidate: str) -> int:
    """How much of a candidate can be dialled; nothing of a fraction (+35236450.6)."""
    return 0 if _FRACTION.fullmatch(candidate) else _DIALLED(candidate)


CONTACT: Final = (
    Detector("email", "EMAIL", _EMAIL, confidence=0.98, kind="contact", what="e-mail address"),
    Detector(
        "phone",
        "PHONE",
        # An international number, or groups of digits that a context word or their form must speak for.
        r"[0-9+(](?<![0-9A-Za-z+][0-9+(])(?<![0-9][.-][0-9+(])"
        r"(?:(?<=[0-9])|(?<=\+)[ (]{0,2}[0-9]|(?<=\()[0-9]{2,5}\))(?:[ .()/-]{0,3}[0-9]){6,14}(?![0-9])",
        measure=_phone,
        context=_TELEPHONE,
        alone=_SPOKEN,
        against=tuple(word for word in (*COUNTED, *NUMBERED) if word not in _BESIDE),
        confidence=0.85,
        kind="contact",
        what="telephone number, of any country",
        proof="the country's numbering plan",
    ),
)

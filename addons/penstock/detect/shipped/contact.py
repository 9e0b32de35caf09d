"""How people are reached: mail and telephone."""

from __future__ import annotations

from typing import Final

from penstock.detect import checks
from penstock.detect.shipped.edges import COUNTED, NUMBERED
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
_TELEPHONE: Final = (
    "phone", "telephone", "tel", "mobile", "cell", "cellphone", "landline", "fax", "dial", "sms", "call me", "call us",
    "call at", "call on", "call him", "call her", "call them", "please call", "call:", "text me", "ring me", "whatsapp",
    "hotline", "helpline", "reach me", "reach us", "reach him", "reach her", "contact me", "contact us", "contact:",
    "contact number", "msisdn", "number is", "my number",
    "her number", "his number", "their number", "phone no", "phone number", "toll free", "extension", "pager",
    "voicemail",
    "telefon", "telefonnummer", "tel.-nr", "rufnummer", "handy", "handynummer", "mobil", "mobilnummer", "festnetz",
    "anrufen", "ruf", "rückruf", "erreichbar", "durchwahl",
    "téléphone", "tél", "portable", "numéro", "appelez", "appeler", "joindre", "joignable", "rappeler",
    "telefono", "teléfono", "móvil", "movil", "celular", "llamar", "llama", "llame", "llámame", "fijo", "número",
    "cellulare", "chiamare", "chiamami", "chiama", "recapito",
    "telefone", "telemóvel", "ligue", "ligar", "telefoon", "telefoonnummer", "mobiel", "bellen", "bel",
    "telefonu", "komórka", "puhelin", "puhelinnumero", "mobiltelefon", "ring mig", "telefonszám", "cep", "телефон",
    "тел", "звоните",
    "电话", "手机", "電話", "携帯", "전화", "휴대폰", "핸드폰", "联系方式", "फ़ोन", "मोबाइल", "هاتف", "טלפון",
)  # fmt: skip
_SPOKEN: Final = (
    r"\+.*|00[1-9][0-9]{1,2}[ .(/-].*"  # international
    r"|(?:1[ .-])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[.-])[2-9][0-9]{2}[ .-][0-9]{4}"  # North America
    r"|0[1-9](?:[ .-][0-9]{2}){4}"  # France
    r"|\(0[0-9]{1,4}\)[ ]?[0-9]{3,8}(?:[ -][0-9]{3,4})?|0[0-9]{2,4} [0-9]{3,4} [0-9]{3,4}"  # with a trunk prefix
)

CONTACT: Final = (
    Detector("email", "EMAIL", _EMAIL, confidence=0.98, kind="contact", what="e-mail address"),
    Detector(
        "phone",
        "PHONE",
        # An international number, or groups of digits that a context word or their form must speak for.
        r"[0-9+(](?<![0-9A-Za-z+][0-9+(])(?<![0-9][.-][0-9+(])"
        r"(?:(?<=[0-9])|(?<=\+)[ (]{0,2}[0-9]|(?<=\()[0-9]{2,5}\))(?:[ .()/-]{0,3}[0-9]){6,14}(?![0-9])",
        measure=checks.longest(phone),
        context=_TELEPHONE,
        alone=_SPOKEN,
        against=(*COUNTED, *NUMBERED),
        confidence=0.85,
        kind="contact",
        what="telephone number, of any country",
        proof="the country's numbering plan",
    ),
)

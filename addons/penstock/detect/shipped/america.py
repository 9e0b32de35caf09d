"""Numbers that people have in the Americas."""

from __future__ import annotations

from typing import Final

from penstock.detect import checks, numbers
from penstock.detect.shipped.edges import BEGIN, CALLED, COUNTED, END, NUMBERED
from penstock.detect.value import Detector

_SOCIAL: Final = (
    "ssn", "ssns", "social security", "social security number", "social", "soc sec", "ss#", "ss #", "tax id", "tin",
    "taxpayer", "last four", "seguro social", "ssn4", "s.s.n", "soc. sec", "social sec", "w-9", "w-2", "w9", "w2",
    "número de seguro", "itin/ssn", "socsec", "ssnumber", "taxid",
)  # fmt: skip
_PAPERS: Final = (
    "account", "acct", "konto",
    "card", "visa", "mastercard", "amex", "passport", "medicare", "iban", "bic", "swift", "itin", "sin", "nie", "run",
    "pan",
)  # fmt: skip
"""What else a person has, named before a number of the form of a social security number."""
_LICENCE: Final = (
    "driver license", "drivers license", "driver's license", "driver’s license", "driver licence", "drivers licence",
    "driver's licence",
    "driving license", "driving licence", "licence number", "license number", "license no", "licence no",
    "license #", "operator license", "dmv",
    "dl number", "dl no", "dl #", "dl:", "dln", "cdl", "driving permit", "driver lic", "drivers lic",
    "driver's lic", "driver’s lic", "driver id", "licencia de conducir", "licencia de manejo",
    "permis de conduire", "state id",
    "permit number", "licensed driver", "licensenumber", "licencenumber",
    "drivers_license", "driver_license", "driverlicense", "driverslicense",
    "my dl", "her dl", "his dl", "dl is", "state dl", "valid dl", "florida dl", "texas dl", "california dl",
    "wisconsin dl", "insured driver",
    "fl dl", "tx dl", "ca dl", "ny dl", "nj dl", "pa dl", "il dl", "oh dl", "ga dl", "nc dl", "mi dl", "va dl", "az dl",
    "wa dl",
)  # fmt: skip
_CONTADO: Final = (
    "protocolo", "processo", "boleto", "rastreio", "rastreamento", "encomenda", "código de barras", "chamado",
    "nota fiscal", "nf",
    "fone", "whats", "zap", "matrícula", "contrato",
)  # fmt: skip
"""Right before a number, in Brazil: it counts something, or is dialled."""

AMERICA: Final = (
    Detector(
        "us_ssn",
        "US_SSN",
        r"[0-9](?<![0-9][0-9])(?<![0-9][-.][0-9])(?<![A-Za-z+][0-9])[0-9]{2}"
        r"(?:-[0-9]{2}-[0-9]{4}|\.[0-9]{2}\.[0-9]{4}| [0-9]{2} [0-9]{4}|[0-9]{6})(?![0-9A-Za-z]|-[0-9])",
        check=numbers.us_ssn,
        context=_SOCIAL,
        alone=r"[0-9]{3}([-. ])[0-9]{2}\1[0-9]{4}",
        against=tuple(word for word in (*COUNTED, *NUMBERED) if word not in _PAPERS),
        confidence=0.85,
        kind="identity",
        what="US social security number",
        proof="areas, groups and serials that are given out",
    ),
    Detector(
        "us_itin",
        "US_ITIN",
        BEGIN + r"9[0-9]{2}(?:-[5-9][0-9]-[0-9]{4}| [5-9][0-9] [0-9]{4}|\.[5-9][0-9]\.[0-9]{4}|[5-9][0-9]{5})" + END,
        check=numbers.us_itin,
        context=(
            "itin",
            "taxpayer",
            "taxpayer id",
            "tax id",
            "tax identification",
            "tin",
            "irs",
            "individual taxpayer",
            "i.t.i.n",
            "w-7",
            "taxid",
            "contribuyente",
        ),
        alone=r"9[0-9]{2}([- ])[0-9]{2}\1[0-9]{4}",
        against=(*COUNTED, *NUMBERED),
        confidence=0.85,
        kind="identity",
        what="US individual taxpayer number",
        proof="a middle part that is given out",
    ),
    Detector(
        "us_passport",
        "US_PASSPORT",
        BEGIN + r"(?:[A-Zacex][0-9]{8}|[0-9]{9})" + END,
        check=checks.varied,
        context=(
            "passport",
            "passport number",
            "passport no",
            "passport num",
            "pasaporte",
            "passeport",
            "travel document",
            "passport card",
            "passport book",
            "travel doc",
            "reisepass",
            "reisepassnummer",
            "passaporte",
            "passaporto",
            "paspoort",
            "paszport",
            "паспорт",
            "护照",
            "護照",
            "パスポート",
            "旅券",
            "여권",
        ),
        confidence=0.85,
        kind="identity",
        what="US passport number",
    ),
    Detector(
        "us_driver_license",
        "US_DRIVER_LICENSE",
        BEGIN
        + r"(?!(?:C?DLN?|ID|NO|LIC)[ -])(?:[A-Z]{1,3}[ -]?[0-9]{2,5}(?:[ -]?[0-9]{2,5}){1,4}(?:-[0-9])?|[0-9]{7,12}"
        r"|[0-9]{2,3}[ -][0-9]{3}[ -][0-9]{3,4}"
        r"|[A-Z]{3,7}[0-9A-Z]{4}[0-9]{3}[0-9A-Z]{1,3}|[0-9]{2}[A-Z]{3}[0-9]{5}|[0-9]{3}[A-Z]{2}[0-9]{4})" + END,
        check=checks.varied,
        context=_LICENCE,
        confidence=0.7,
        kind="identity",
        what="US driver licence number, of any state",
    ),
    Detector(
        "us_npi",
        "US_NPI",
        BEGIN + r"[12][0-9]{9}" + END,
        check=numbers.us_npi,
        context=(
            "npi",
            "npi number",
            "provider",
            "provider id",
            "national provider",
            "physician",
            "prescriber",
            "nppes",
            "doctor",
            "clinician",
            "*xx*",
        ),
        confidence=0.96,
        kind="identity",
        what="US national provider identifier",
        proof="Luhn, with 80840 before it",
    ),
    Detector(
        "us_mbi",
        "US_MBI",
        r"(?<![0-9A-Za-z])(?<![0-9A-Za-z]-)[1-9](?:[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9][ -]?[AC-HJKMNP-RT-Y]"
        r"[0-9AC-HJKMNP-RT-Y][0-9][ -]?[AC-HJKMNP-RT-Y]{2}"
        r"|[ac-hjkmnp-rt-y][0-9ac-hjkmnp-rt-y][0-9][ -]?[ac-hjkmnp-rt-y]"
        r"[0-9ac-hjkmnp-rt-y][0-9][ -]?[ac-hjkmnp-rt-y]{2})[0-9]{2}(?![0-9A-Za-z])(?!-[0-9A-Za-z])",
        context=("mbi", "medicare", "beneficiary", "medicare number", "medicare id", "hicn", "subscriber id"),
        alone=r"[0-9A-Z]{4}-?[0-9A-Z]{3}-?[0-9A-Z]{4}",
        against=COUNTED,
        confidence=0.85,
        kind="identity",
        what="US Medicare beneficiary identifier",
    ),
    Detector(
        "ca_sin",
        "CA_SIN",
        BEGIN
        + r"(?<![Ss]in\()(?:[0-9]{3}-[0-9]{3}-[0-9]{3}|[0-9]{3} [0-9]{3} [0-9]{3}|[0-9]{9}"
        + r"|[0-9]{3}\.[0-9]{3}\.[0-9]{3})"
        + END,
        check=numbers.ca_sin,
        context=(
            "sin",
            "sin#",
            "social insurance",
            "social insurance number",
            "insurance number",
            "nas",
            "assurance sociale",
            "n.a.s.",
            "sin number",
            "s.i.n",
            "t4",
            "t4a",
            "td1",
            "canada revenue",
            "numéro d'assurance",
            "numéro d’assurance",
        ),
        alone=r"[0-9]{3}-[0-9]{3}-[0-9]{3}",
        against=(*COUNTED, *CALLED, *NUMBERED),
        confidence=0.88,
        kind="identity",
        what="Canadian social insurance number",
        proof="Luhn",
    ),
    Detector(
        "br_cpf",
        "BR_CPF",
        BEGIN
        + r"[0-9]{3}(?:\.[0-9]{3}\.[0-9]{3}-?[0-9]{2}|[ -][0-9]{3}[ -][0-9]{3}[ -/][0-9]{2}|[0-9]{6}-?[0-9]{2})"
        + END,
        check=numbers.br_cpf,
        context=(
            "cpf",
            "cadastro",
            "cadastro de pessoa",
            "contribuinte",
            "inscrito",
            "cpf/mf",
            "documento",
            "pessoa física",
            "cliente",
        ),
        alone=r".*",
        against=(*COUNTED, *CALLED, *NUMBERED, *_CONTADO),
        confidence=0.92,
        kind="identity",
        what="Brazilian taxpayer number of a person",
        proof="two check digits, modulo 11",
    ),
    Detector(
        "br_cnpj",
        "BR_CNPJ",
        BEGIN + r"(?:[0-9A-Z]{2}\.[0-9A-Z]{3}\.[0-9A-Z]{3}/[0-9A-Z]{4}-[0-9]{2}|[0-9A-Z]{8}/?[0-9A-Z]{4}-?[0-9]{2}"
        r"|[0-9]{2} [0-9]{3} [0-9]{3} [0-9]{4} [0-9]{2})" + END,
        check=numbers.br_cnpj,
        context=("cnpj", "empresa", "razão social", "pessoa jurídica", "inscrita", "cnpj/mf", "fornecedor"),
        alone=(
            r"[0-9A-Z]{2}\.[0-9A-Z]{3}\.[0-9A-Z]{3}/[0-9A-Z]{4}-[0-9]{2}|[0-9]{8}/?[0-9]{4}-?[0-9]{2}"
            r"|[0-9]{2} [0-9]{3} [0-9]{3} [0-9]{4} [0-9]{2}"
        ),
        against=(*COUNTED, *CALLED, *NUMBERED, *_CONTADO),
        confidence=0.92,
        kind="identity",
        what="Brazilian taxpayer number of a company",
        proof="two check digits, modulo 11",
    ),
    Detector(
        "mx_curp",
        "MX_CURP",
        r"(?<![0-9A-Za-z])(?:[A-Z][AEIOUX][A-Z]{2}[0-9]{6}[HMX][A-Z]{2}[B-DF-HJ-NP-TV-Z\u00d1]{3}[0-9A-Z]"
        r"|[a-z][aeioux][a-z]{2}[0-9]{6}[hmx][a-z]{2}[b-df-hj-np-tv-z\u00f1]{3}[0-9a-z])[0-9](?![0-9A-Za-z])",
        check=numbers.mx_curp,
        confidence=0.98,
        kind="identity",
        what="Mexican population registry code",
        proof="a check digit, and a date",
    ),
    Detector(
        "cl_rut",
        "CL_RUT",
        BEGIN + r"(?:[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9Kk]|[0-9]{7,8}-?[0-9Kk])" + END,
        check=numbers.cl_rut,
        context=(
            "rut",
            "run",
            "r.u.t",
            "r.u.n",
            "rol único",
            "rol unico",
            "cédula",
            "carnet",
            "rutemisor",
            "rutreceptor",
            "rutrecep",
            "rutenvia",
        ),
        alone=r"[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9Kk]",
        confidence=0.95,
        kind="identity",
        what="Chilean identity and taxpayer number",
        proof="modulo 11",
    ),
)

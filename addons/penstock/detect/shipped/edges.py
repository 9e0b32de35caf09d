"""What may stand around a number, and the words that say that it is another one."""

from __future__ import annotations

from typing import Final

BEGIN: Final = r"(?<![0-9A-Za-z+])(?<![0-9][.-])"
"""Not in mid-word, not the end of a longer number."""
END: Final = r"(?![0-9A-Za-z])(?![.-][0-9])(?! ?(?:bytes|rows|records|ms|EUR|USD|%))"
"""Not in mid-word, not the start of a longer number, nor an amount of something."""

COUNTED: Final = (
    "order", "invoice", "ticket", "tracking", "ref", "reference", "sku", "part", "serial", "model", "version", "build",
    "release", "commit", "revision", "isbn", "issn", "ean", "upc", "gtin", "barcode", "timestamp", "transaction",
    "case", "batch", "lot", "receipt", "parcel", "shipment", "product", "item", "article", "artikel", "bestellung",
    "bestellnummer", "rechnung", "rechnungsnummer", "commande", "facture", "pedido", "factura", "ordine", "fattura",
    "row", "line", "offset", "port", "pid", "bytes", "size", "count", "total", "sum",
)  # fmt: skip
"""Right before a number: it counts something."""
CALLED: Final = (
    "phone", "telephone", "tel", "mobile", "cell", "fax", "call", "whatsapp", "telefon", "handy", "telefono",
    "teléfono", "telefone", "celular", "téléphone", "gsm", "電話", "电话", "전화",
)  # fmt: skip
"""Right before a number: it is dialled."""
NUMBERED: Final = (
    "ssn", "itin", "npi", "mbi", "sin", "cpf", "cnpj", "curp", "rut", "nino", "nhs", "steuer-id", "steuernummer",
    "idnr",
    "nir", "dni", "nie", "pesel", "personnummer", "hetu", "henkilötunnus", "bsn", "niss", "rijksregisternummer", "ahv",
    "avs", "cpr", "fødselsnummer", "nif", "ppsn", "aadhaar", "pan", "nric", "tfn", "abn", "acn", "medicare", "rrn",
    "주민등록번호", "my number", "マイナンバー", "個人番号", "hkid", "tckn", "kimlik", "passport", "licence", "license",
    "iban", "bic", "swift", "routing", "aba", "card", "visa", "mastercard", "amex", "account", "konto", "acct", "imei",
    "vat", "ein", "insee", "身份证", "身份证号",
)  # fmt: skip
"""Right before a number: it is one of these."""


def after(*labels: str) -> str:
    """As `BEGIN`, or with one of these right before it, without a space: `BSN123456782`."""
    glued = "|".join(f"(?<={each})" for label in labels for each in (label, label.lower()))
    return rf"(?<![0-9+])(?<![0-9][.-])(?:(?<![A-Za-z])|{glued})"

"""Numbers of accounts and cards, and addresses of coins."""

from __future__ import annotations

from typing import Final

from penstock.detect import checks, coins, numbers
from penstock.detect.shipped.edges import BEGIN, COUNTED, END
from penstock.detect.value import Detector

_BANK: Final = (
    "bic",
    "swift",
    "swift code",
    "bic code",
    "bank code",
    "bank identifier",
    "bankleitzahl",
    "iban",
    "bank",
)
_ACCOUNT: Final = (
    "account number", "account no", "account num", "account nr", "account #", "account:", "account=", 'account":',
    "account is", "acct", "acct no", "a/c", "a/c no", "bank account", "checking account", "savings account", "checking",
    "savings", "deposit account", "debit account", "credit account", "kontonummer", "konto-nr", "kontonr", "cuenta",
    "número de cuenta", "compte", "numéro de compte", "conto corrente", "numero conto", "conta", "rekeningnummer",
    "口座番号", "账号", "계좌번호",
)  # fmt: skip

FINANCE: Final = (
    Detector(
        "credit_card",
        "CREDIT_CARD",
        # Not the end of a hexadecimal number, nor a part of a UUID.
        r"[0-9](?<![0-9A-Fa-f]{3}[0-9])(?<![0-9][0-9])(?<![0-9A-Fa-f]{4}-[0-9])"
        r"(?:[0-9]{3}(?:\.[0-9]{4}){3}|(?:[ -]?[0-9]){12,18})(?![0-9])(?![0-9A-Fa-f]{3})",
        measure=checks.card_length,
        confidence=0.95,
        kind="finance",
        what="payment card number",
        proof="Luhn, and an issuer's range",
    ),
    Detector(
        "iban",
        "IBAN",
        r"(?<![0-9A-Za-z])(?<![0-9A-Fa-f]{4}-)[A-Za-z]{2}[0-9]{2}(?:[ .-]?[0-9A-Za-z]){11,30}",
        measure=checks.iban_length,
        confidence=0.99,
        kind="finance",
        what="international bank account number",
        proof="modulo 97, and the country's length",
    ),
    Detector(
        "bic",
        "BIC",
        r"(?<![0-9A-Za-z])[A-Z]{6}[0-9A-Z]{2}(?:[0-9A-Z]{3})?(?![0-9A-Za-z])",
        check=checks.bic,
        context=_BANK,
        alone=r"[A-Z]{6}[0-9A-Z]{2}(?:XXX|[0-9]{3})",
        against=COUNTED,
        confidence=0.8,
        kind="finance",
        what="bank identifier (SWIFT)",
        proof="a country that exists",
    ),
    Detector(
        "us_aba",
        "US_ABA",
        BEGIN + r"[0-9]{4}-?[0-9]{4}-?[0-9]" + END,
        check=numbers.us_aba,
        context=(
            "aba",
            "routing",
            "routing number",
            "routing no",
            "rtn",
            "transit number",
            "aba number",
            "fedwire",
            "ach",
        ),
        confidence=0.97,
        kind="finance",
        what="US bank routing number",
        proof="weights 3-7-1, and a district",
    ),
    Detector(
        "us_bank_account",
        "US_BANK_ACCOUNT",
        BEGIN + r"[0-9](?:[ -]?[0-9]){6,16}" + END,
        check=checks.account,
        context=_ACCOUNT,
        confidence=0.7,
        kind="finance",
        what="bank account number",
        proof="no date, not one digit over and over",
    ),
    Detector(
        "crypto_address",
        "CRYPTO_ADDRESS",
        r"(?<![0-9A-Za-z])(?:0[xX][0-9A-Fa-f]{40}|[13LMDXTr][1-9A-HJ-NP-Za-km-z]{24,34}"
        r"|(?:bc1|tb1|ltc1|BC1|TB1|LTC1)[02-9ac-hj-np-zAC-HJ-NP-Z]{11,87}|(?:addr1|cosmos1"
        r"|osmo1)[02-9ac-hj-np-z]{38,104})"
        r"(?![0-9A-Za-z])",
        check=coins.address,
        confidence=0.97,
        kind="finance",
        what="address of Bitcoin, Ethereum and others",
        proof="base58check, bech32, EIP-55",
    ),
)

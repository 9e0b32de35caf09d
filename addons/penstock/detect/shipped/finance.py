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
    "bicfi",
    "sort code",
)
_ACCOUNT: Final = (
    "account number", "account no", "account num", "account nr", "account #", "account:", "account=", 'account":',
    "account is", "acct", "acct#", "acct number", "account routing", "routing", "routing number", "bank acct",
    "dda number", "dda account", "demand deposit",
    "beneficiary account", "wire to", "direct deposit", "account ending", "acct no", "a/c", "a/c no", "bank account",
    "checking account", "savings account", "checking",
    "savings", "deposit account", "debit account", "credit account", "account id", "a/c number", "kontonummer",
    "konto-nr", "kontonr", "cuenta",
    "número de cuenta", "compte", "numéro de compte", "conto corrente", "numero conto", "conta", "rekeningnummer",
    "口座番号", "账号", "계좌번호",
)  # fmt: skip


_WORDS: Final = """
    ABSOLUTE ACCESSED ACCESSES ACQUIRED ADVANCED APPEARED ARRANGES ARTICLES ASSIGNED ATTACHED BASELINE BUSINESS
    CAMPAIGN CHANGING CHANNELS CHECKING CHOOSING CLEANING CLICKING COMBINED COMBINES COMPARED COMPILED COMPLAIN
    COMPLIES CONFLICT CONFUSED CONSIDER CONSISTS CONTAINS CONTINUE CONTROLS COSMETIC CREATION CRITERIA CUSTOMER
    DATABASE DEADLINE DECIMALS DECISION DECLARED DEFINING DELEGATE DELIVERY DESIGNED DETACHED DETAILED DISPATCH
    DISPLAYS DISTINCT DIVIDEND DIVISION DOCUMENT DRAGGING DRAWINGS EARLIEST ENABLING ENGINEER ENHANCED ENTIRELY
    EQUALITY ESTIMATE EVALUATE EXAMPLES EXERCISE EXPONENT EXPOSING FACILITY FALLBACK FAMILIAR FEBRUARY FEEDBACK
    FILTERED FINISHED FOOTNOTE FRAGMENT GEOMETRY GLOBALLY HANDLING INCIDENT INDICATE INFINITE INFINITY INSPIRED
    INSTALLS INSTRUCT INTEGRAL INTEREST INVOKING INVOLVED JUDICIAL LANGUAGE LAUNCHER MACHINES MANAGERS MANUALLY
    MAPPINGS MATERIAL MEANINGS MESSAGES MINISTRY MODIFIED MODIFIES MOVEMENT NOTEBOOK NOTIFIED NUMBERED OBTAINED
    OFFICIAL OPERATES OPERATOR OPPOSITE ORDINARY ORIGINAL OVERVIEW PACKAGES PATTERNS PIPELINE PLATFORM POLICIES
    POPULATE PREPARED PREPARES PRESERVE PRESSING PROCEEDS PROGRESS PROJECTS PROPERLY PROPERTY PROVIDED PROVIDER
    PROVIDES RANDOMLY RECORDED REDIRECT REGISTER REGISTRY RELEVANT RENDERED REPEATED REQUESTS REQUIRED REQUIRES
    RESEARCH RESIDENT RESOLVED RESPECTS RETAINED RETRIEVE REVERSED REVISION ROUTINES SAMPLING SEARCHED SEARCHES
    SETTINGS SHORTCUT SHUTDOWN SIMPLIFY SLIGHTLY SNAPSHOT SPANNING SPEAKING SPONSORS STRENGTH STRONGLY SUPPLIED
    SUPPRESS SWITCHED TEMPLATE TERMINAL TOGETHER TRACKING TRAILING TRANSMIT UNIVERSE UNLOCKED UNSIGNED UPGRADED
    UPSTREAM USERNAME VERBATIM VERIFIED VERIFIES WARNINGS YOURSELF COMBINATION COMPARISONS COMPILATION COMPLICATED
    COMPRESSION CONDITIONAL CONNECTIONS CONSECUTIVE CONSIDERING CONSTRAINTS CONTROLLING CONVERSIONS CORRECTIONS
    CORRECTNESS DEFINITIONS DESTINATION DIFFERENCES DIFFERENTLY DISCLAIMERS DISCUSSIONS DISTINGUISH ELIMINATING
    ENGINEERING ENVIRONMENT EXCLUSIVELY EXPRESSIONS INDEPENDENT INSTRUCTION INTEGRATION INTERESTING NECESSARILY
    NETHERLANDS OBLIGATIONS PARTNERSHIP PERMISSIONS PREDECESSOR PREFERENCES PREPARATION RECOMMENDED REGISTERING
    REPRESENTED REQUIREMENT SUGGESTIONS TEMPERATURE TERMINATION TERMINOLOGY TRANSACTION TRANSLATING TRANSLATION
    UNAVAILABLE UNDERSTANDS UNSPECIFIED
"""
_EVERYDAY: Final = frozenset(_WORDS.split())
"""English words whose fifth and sixth letters are a country: headings in capitals have them, banks have other names."""


def _account(value: str) -> bool:
    """No routing number: those stand beside it, and have a check."""
    return checks.account(value) and (sum(map(str.isdigit, value)) != 9 or not numbers.us_aba(value))


def _bank(value: str) -> bool:
    return value not in _EVERYDAY and checks.bic(value)


FINANCE: Final = (
    Detector(
        "credit_card",
        "CREDIT_CARD",
        # Not the end of a hexadecimal number or of a fraction, nor a part of a UUID.
        r"[0-9](?<![0-9A-Fa-f]{3}[0-9])(?<![0-9][0-9])(?<![0-9A-Fa-f]{4}-[0-9])(?!(?<=[0-9]\.[0-9])[0-9]{12})"
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
        check=_bank,
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
            "routing transit",
            "rt#",
            "rt #",
            "rtg",
            "micr",
            "⑆",
            "account number",
            "account no",
            "direct deposit",
            "wire",
            "ruta",
            "número de ruta",
            "número de tránsito",
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
        check=_account,
        context=_ACCOUNT,
        confidence=0.7,
        kind="finance",
        what="bank account number",
        proof="no date, not one digit over and over",
    ),
    Detector(
        "crypto_address",
        "CRYPTO_ADDRESS",
        r"(?<![0-9A-Za-z])(?:0[xX][0-9A-Fa-f]{40}|[13LMDXTrt][1-9A-HJ-NP-Za-km-z]{24,34}"
        r"|[48][1-9A-HJ-NP-Za-km-z]{94}(?:[1-9A-HJ-NP-Za-km-z]{11})?"
        r"|(?:bitcoincash:|bchtest:)?[qp][02-9ac-hj-np-z]{41}"
        r"|(?:bc1|tb1|ltc1|BC1|TB1|LTC1)[02-9ac-hj-np-zAC-HJ-NP-Z]{11,87}|(?:addr1|cosmos1"
        r"|osmo1)[02-9ac-hj-np-z]{38,104})"
        r"(?![0-9A-Za-z])",
        check=coins.address,
        confidence=0.97,
        kind="finance",
        what="address of Bitcoin, Ethereum and others",
        proof="base58check, bech32, EIP-55, cashaddr, Monero's",
    ),
)

"""Keys of those who move money."""

from __future__ import annotations

from typing import Final

from penstock.detect import checks, secrecy
from penstock.detect.shipped.token import URL, WORD, exact, named, token
from penstock.detect.value import Detector

PAYMENTS: Final = (
    Detector(
        "stripe_key",
        "STRIPE_KEY",
        r"(?<![0-9A-Za-z])[rs]k_(?:live|test|prod)_[0-9A-Za-z]{16}",
        check=checks.not_placeholder,
        until=r"(?![0-9A-Za-z])",
        confidence=0.98,
        kind="secret",
        what="Stripe secret or restricted key (and Paystack's)",
    ),
    token("stripe_webhook_secret", "Stripe (Svix, OpenAI) webhook secret", "whsec_", "0-9A-Za-z+/=", 24),
    token("square_token", "Square token", "sq0(?:atp|csp|idp)-|EAAA[0-9A-Za-z_-]{36}", URL, 22),
    exact(
        "braintree_token",
        "PayPal Braintree access token",
        r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}",
    ),
    named(
        "paypal_secret",
        "PayPal client secret",
        "E[0-9A-Za-z_-]{79}",
        "paypal",
        "client secret",
        "client_secret",
        "paypal_secret",
    ),
    token("razorpay_key", "Razorpay key", "rzp_(?:live|test)_", WORD, 14),
    token("plaid_token", "Plaid access token", "access-(?:sandbox|development|production)-", "0-9a-f-", 36),
    exact("flutterwave_key", "Flutterwave key", "FLW(?:SEC|PUB)K(?:_TEST|_LIVE)?-[0-9A-Za-z]{12,40}(?:-X)?"),
    token("shopify_token", "Shopify token", "shp(?:at|ca|pa|ss|tka)_", "0-9A-Fa-f", 32),
    token("mollie_key", "Mollie key", "(?:live|test)_", WORD, 30, check=secrecy.numbered, confidence=0.85),
    named("coinbase_secret", "Coinbase secret", "[0-9A-Za-z_-]{64}", "coinbase"),
    token("lob_key", "Lob key", "(?:live|test)_(?:pub_|[0-9a-f]{4})", "0-9a-f", 31),
    token("adyen_key", "Adyen key", "AQE[0-9A-Za-z+/]", "0-9A-Za-z+/=-", 80),
    token("duffel_token", "Duffel token", "duffel_(?:test|live)_", "0-9A-Za-z_=-", 40),
    token("easypost_key", "EasyPost key", "EZ[AT]K", WORD, 54),
    token("shippo_token", "Shippo token", "shippo_(?:live|test)_", "0-9A-Fa-f", 40),
    token("paddle_key", "Paddle key", "pdl_(?:live|sdbx)_apikey_[0-9a-z]{26}_", "0-9A-Za-z_", 20),
)

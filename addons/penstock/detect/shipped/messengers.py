"""Tokens and hooks of what messages are sent with."""

from __future__ import annotations

from typing import Final

from penstock.detect import checks, secrecy
from penstock.detect.shipped.token import NO_DIGEST, URL, WORD, exact, named, token
from penstock.detect.value import Detector

_HOOK_END: Final = r"(?![0-9A-Za-z_/@%=&?.-])|(?=[.?](?:[\s\"'<>)]|\Z))"


def hook(name: str, what: str, address: str) -> Detector:
    """A web address that whoever has it may post to."""
    return Detector(
        name,
        name.upper(),
        rf"(?<![0-9A-Za-z])(?:https?://)?{address}",
        check=checks.not_placeholder,
        until=_HOOK_END,
        confidence=0.97,
        kind="secret",
        what=what,
    )


MESSENGERS: Final = (
    Detector(
        "slack_token",
        "SLACK_TOKEN",
        r"(?<![0-9A-Za-z])(?:xox[abceoprsd]-(?:[0-9]-)?|xoxe\.xox[bp]-|xapp-[0-9]-|xwfp-)[0-9A-Za-z-]{10}",
        check=checks.api_key,
        until=r"(?![0-9A-Za-z%-])",
        confidence=0.97,
        kind="secret",
        what="Slack token of any kind",
    ),
    hook(
        "slack_webhook",
        "Slack webhook",
        r"hooks\.slack\.com/(?:services/T[0-9A-Z]{6,14}/B[0-9A-Z]{6,14}/|(?:services|workflows|triggers)/)[0-9A-Za-z/]{8}",
    ),
    Detector(
        "discord_token",
        "DISCORD_TOKEN",
        r"(?<![0-9A-Za-z_-])(?:[MNO][0-9A-Za-z_-]{23,27}\.[0-9A-Za-z_-]{6}\.[0-9A-Za-z_-]{27}|mfa\.[0-9A-Za-z_-]{80})",
        check=checks.not_placeholder,
        until=r"(?![0-9A-Za-z_-])",
        confidence=0.97,
        kind="secret",
        what="Discord bot token",
    ),
    hook(
        "discord_webhook",
        "Discord webhook",
        r"(?:(?:ptb|canary)\.)?discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/[0-9]{15,21}/[0-9A-Za-z_-]{10}",
    ),
    Detector(
        "telegram_token",
        "TELEGRAM_TOKEN",
        # In an address of the API "bot" stands right before it.
        r"(?:(?<![0-9A-Za-z_-])|(?<=/bot))[0-9]{8,10}:[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])",
        check=secrecy.assorted,
        confidence=0.95,
        kind="secret",
        what="Telegram bot token",
    ),
    hook(
        "teams_webhook",
        "Microsoft Teams webhook",
        r"(?:[0-9a-z-]{1,60}\.webhook\.office\.com/webhookb2/|outlook\.office(?:365)?\.com/webhook/)[0-9a-z@/-]{20}"
        r"|(?<![0-9A-Za-z])https://[0-9a-z.-]{1,100}\.(?:logic\.azure\.com|api\.powerplatform\.com)(?::443)?"
        r"/[0-9a-z/]{0,60}workflows/[0-9a-f]{32}/triggers/[^\s\"'<>?]{1,60}\?[^\s\"'<>]{0,300}sig=[0-9A-Za-z_-]{20}",
    ),
    Detector(
        "twilio_key",
        "TWILIO_KEY",
        rf"(?:(?<![0-9A-Za-z])(?:SK|AC)[0-9a-f]{{32}}|{NO_DIGEST}[0-9a-f]{{32}})(?![0-9A-Za-z])",
        check=checks.random_letters,
        context=("twilio", "twilio_auth_token", "auth token", "auth_token", "authtoken"),
        alone="(?:SK|AC).*",
        confidence=0.93,
        kind="secret",
        what="Twilio key, account id or auth token",
    ),
    exact("sendgrid_key", "SendGrid key", r"SG\.[0-9A-Za-z_-]{16,32}\.[0-9A-Za-z_-]{16,64}"),
    exact("mailgun_key", "Mailgun key", "(?:key|pubkey)-[0-9a-f]{32}|[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}"),
    exact("mailchimp_key", "Mailchimp key", "[0-9a-f]{32}-us[0-9]{1,2}"),
    token("brevo_key", "Brevo key", "xkeysib-|xsmtpsib-", "0-9A-Za-z-", 64),
    named(
        "postmark_token",
        "Postmark server token",
        "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}",
        "postmark",
        "x-postmark-server-token",
    ),
    exact("resend_key", "Resend key", "re_[0-9A-Za-z]{8}_[0-9A-Za-z]{20,24}"),
    token("hubspot_token", "HubSpot token", "pat-(?:na|eu)[0-9]-", "0-9a-f-", 36),
    token("facebook_token", "Facebook access token", "EAA[A-Z]", WORD, 60, check=secrecy.assorted),
    token("twitter_bearer", "X (Twitter) bearer token", "A{20}", "0-9A-Za-z%", 40, check=secrecy.numbered),
    exact("salesforce_token", "Salesforce access token", "00D[0-9A-Za-z]{12}![0-9A-Za-z_.]{80,120}[0-9A-Za-z_]"),
    token("dropbox_token", "Dropbox token", r"sl\.(?:u\.)?", URL, 100),
    exact("mapbox_token", "Mapbox token", r"[pst]k\.eyJ[0-9A-Za-z_-]{40,240}\.[0-9A-Za-z_-]{20,24}"),
    token("intercom_token", "Intercom token", "dG9r", "0-9A-Za-z+/=", 40, confidence=0.85),
    exact("klaviyo_key", "Klaviyo private key", "pk_(?:[0-9A-Za-z]{6}_)?[0-9a-f]{34}"),
    exact("mandrill_key", "Mandrill key", "md-[0-9A-Za-z_-]{22}", check=checks.api_key),
    hook(
        "chat_webhook",
        "webhook of Google Chat, Lark, DingTalk or WeCom",
        r"(?:chat\.googleapis\.com/v1/spaces/[0-9A-Za-z_-]{8,20}/messages\?[0-9A-Za-z_=&-]{8,60}"
        r"|open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/v2/hook/[0-9a-f-]{30}"
        r"|oapi\.dingtalk\.com/robot/send\?access_token=[0-9a-f]{30}"
        r"|qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=[0-9a-f-]{30})",
    ),
    hook("zapier_webhook", "Zapier webhook", r"hooks\.zapier\.com/hooks/catch/[0-9]{4,12}/[0-9a-z]{5}"),
)

"""Secrets of no particular issuer: keys, passwords, connection strings, whatever is assigned to a name like these."""

from __future__ import annotations

from typing import Final

from penstock.detect import checks, secrecy
from penstock.detect.value import Detector

_PASS: Final = (
    r"(?:[Pp]ass(?:word|wd|phrase|code)?|PASS(?:WORD|WD|PHRASE|CODE)?|[Pp]wd|PWD|[Pp]assw(?:ort)?|PASSWORT"
    r"|[Kk]ennwort|[Cc]ontrase(?:ñ|n)a|[Mm]ot de passe|[Ss]enha"
    r"|[Ww]achtwoord|[Hh]aslo|[Hh]asło|[Ll]ösenord|[Ss]alasana|[Pp]arola?|[Пп]ароль|パスワード|密码|密碼|비밀번호)"
)
_SECRET: Final = (
    r"(?:[Ss]ecret|SECRET|[Tt]oken|TOKEN|(?:[Aa]pi|API|[Aa]ccess|ACCESS|[Aa]uth|AUTH|[Pp]rivate|PRIVATE"
    r"|[Ss]igning|SIGNING|[Ee]ncryption|ENCRYPTION"
    r"|[Mm]aster|MASTER|[Ss]ecurity|SECURITY|[Ss]ession|SESSION|[Ll]icense|LICENSE|[Ss]ervice|SERVICE|[Aa]ccount"
    r"|ACCOUNT|[Ss]torage|STORAGE)[ _-]?(?:[Kk]ey|KEY)|[Cc]redentials?|CREDENTIALS?|[Bb]earer|BEARER)"
)
_MORE: Final = (
    r"(?:[_-]?(?:[Kk]ey|KEY|[Vv]alue|VALUE|[Bb]ase64|BASE64|[Ss]tring|STRING|[Hh]ash|HASH|[Tt]oken"
    r"|TOKEN|[Aa]ccess[_-]?[Kk]ey|ACCESS_KEY|[Ii][Dd]|[0-9]{1,2})){0,2}"
)
_GIVEN: Final = r"[\"'`\]]{0,2}[ \t]{0,4}(?:=>|:=|==?|:)[ \t]{0,4}"
_BARE: Final = r"\s\"'`<>,;|(){}\[\]\\"
_END: Final = r"(?=[.,;:?)\]}]{0,3}(?:[\s\"'`<>|&\\]|\Z)|[,;][^\s])"
_QUOTED: Final = (
    rf"(?:[rbuf]?\"(?P<value>[^\"\n\\]{{6,128}})\"|[rbuf]?'(?P<value>[^'\n\\]{{6,128}})'"
    rf"|`(?P<value>[^`\n\\]{{6,128}})`|(?P<value>[^{_BARE}]{{5,127}}[^{_BARE}.:?]){_END})"
)
_PAIR: Final = (
    r"(?:[Ss]erver|[Dd]ata [Ss]ource|[Hh]ost|[Dd]atabase|[Ii]nitial [Cc]atalog|[Uu]ser [Ii][Dd]|[Uu]id"
    r"|UID|[Uu]ser(?:name)?|USER|SERVER|DATABASE|[Pp]ort|PORT|[Dd]river|DRIVER|[Aa]ddress|[Ee]ndpoint|HOST|DRIVER)"
)
# What stands around an address in a sentence, in Markdown or in a table is no part of it.
_URL_END: Final = r"(?=[.,;:!?)\]}*]{0,3}(?:\s|\Z)|[.,;:!?)][^\x00-\x7f]|[\"'<>`\\|*«»“”„’])"

ACCESS: Final = (
    Detector(
        "jwt",
        "JWT",
        # Signed (the second part is an object too) or encrypted (five parts).
        r"(?<![0-9A-Za-z_-])eyJ[0-9A-Za-z_-]{8,3000}\.(?:eyJ[0-9A-Za-z_-]{8}|[0-9A-Za-z_-]{0,1000}\.[0-9A-Za-z_-]{8})",
        until=r"(?![0-9A-Za-z_-]|\.[0-9A-Za-z_-])",
        confidence=0.98,
        kind="secret",
        what="JSON web token",
    ),
    Detector(
        "private_key",
        "PRIVATE_KEY",
        # PEM of every kind (RSA, EC, ENCRYPTED, OPENSSH, PGP ... BLOCK), SSH2 with its four dashes, and PuTTY's.
        r"(?i)-{4,5} ?BEGIN {1,3}(?:[0-9A-Z]{1,16} {1,3}){0,4}PRIVATE {1,3}KEY(?: {1,3}BLOCK)? ?-{4,5}",
        until=r"(?i)-{4,5} ?END {1,3}(?:[0-9A-Z]{1,16} {1,3}){0,4}PRIVATE {1,3}KEY(?: {1,3}BLOCK)? ?-{4,5}",
        confidence=0.99,
        kind="secret",
        what="private key in PEM, of any kind",
    ),
    Detector(
        "age_secret_key",
        "AGE_SECRET_KEY",
        r"(?<![0-9A-Za-z])AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}(?![0-9A-Za-z])",
        confidence=0.99,
        kind="secret",
        what="private key of age",
    ),
    Detector(
        "connection_string",
        "CONNECTION_STRING",
        r"(?<![0-9A-Za-z])(?:(?:[Pp]ostgres(?:ql)?|mysql|mysqlx|mariadb|mongodb|rediss?|amqps?|mssql|sqlserver"
        r"|oracle|cockroachdb|clickhouse|kafka|nats|ldaps?"
        r"|smtps?|cassandra|couchbase|neo4j|bolt|snowflake|redshift|vertica|db2|influxdb|mqtts?|sftp|ftps?"
        r"|memcached|hive|trino|presto|timescaledb|valkey)"
        r"(?:\+[a-z0-9_]{1,20}){0,2}://[^\s:@/?#\"'<>`]{0,128}:[^\s@/\"'<>`]{1,256}@[^\s\"'<>`]"
        r"|jdbc:[a-z0-9:]{2,30}[/@][^\s\"'<>`?;]{1,250}[?;](?:[A-Za-z_.]{1,40}=[^\s\"'<>`&;]{0,120}[&;]){0,8}"
        r"(?:password|pwd|Password)=[^\s\"'<>`&;]"
        rf"|{_PAIR} ?= ?[^;\"'\n=]{{1,200}};(?: ?[A-Za-z][A-Za-z _]{{1,40}} ?= ?[^;\"'\n=]{{0,120}};){{0,10}} ?"
        rf"(?:[Pp]assword|PASSWORD|[Pp]wd|PWD) ?= ?[^;\s\"'<>]"
        r"|(?:DefaultEndpointsProtocol|Endpoint)=[a-z]{2,5}(?:;|://)[^\s\"'<>;]{0,200};?"
        r"(?:[A-Za-z]{1,40}=[^\s\"'<>;]{0,120};){0,6}(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/])",
        check=checks.not_placeholder,
        until=_URL_END,
        confidence=0.95,
        kind="secret",
        what="connection string with a password in it (URL, JDBC, ADO, Azure)",
    ),
    Detector(
        "password",
        "PASSWORD",
        rf"{_PASS}(?:[_-]?(?:[Vv]alue|[0-9]{{1,2}}))?(?:{_GIVEN}|[\"']?[ \t]{{1,3}}(?:is|was|ist|est|es|è|é"
        rf"|lautet|set to|is set to|changed to|reset to)(?:[ \t]{{0,3}}:)?[ \t]{{1,3}}|は|是|：){_QUOTED}",
        group="value",
        measure=secrecy.password,
        confidence=0.75,
        kind="secret",
        what="what is given as a password: password=..., the password is ...",
        proof="letters and others, no name, no placeholder",
    ),
    Detector(
        "secret_assignment",
        "SECRET_ASSIGNMENT",
        rf"{_SECRET}{_MORE}{_GIVEN}{_QUOTED}".replace(_BARE, _BARE + "&"),
        group="value",
        measure=secrecy.secret,
        confidence=0.8,
        kind="secret",
        what='what is assigned to a secret name: token: "...", API_KEY=...',
        proof="entropy, no name, no placeholder",
    ),
    Detector(
        "authorization",
        "AUTHORIZATION",
        r"(?<![0-9A-Za-z])(?:[Bb]earer|BEARER|[Bb]asic"
        r"|BASIC)[ \t]{1,3}(?P<value>[0-9A-Za-z._~+/=-]{12,512})(?![0-9A-Za-z._~+/=-])",
        group="value",
        measure=secrecy.secret,
        confidence=0.9,
        kind="secret",
        what="HTTP authorization: Bearer ..., Basic ...",
        proof="entropy",
    ),
    Detector(
        "url_credentials",
        "URL_CREDENTIALS",
        r"(?<![0-9A-Za-z.+-])[A-Za-z][0-9A-Za-z.+-]{1,30}://[^\s:@/?#\"'<>`]{0,128}:[^\s@/?#\"'<>`]{1,256}@[^\s\"'<>`]",
        check=checks.not_placeholder,
        until=_URL_END.replace("<>", "<>;"),
        confidence=0.95,
        kind="secret",
        what="URL with a user name and a password in it",
    ),
)

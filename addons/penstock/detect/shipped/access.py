"""Secrets of no particular issuer: keys, passwords, connection strings, whatever is assigned to a name like these."""

from __future__ import annotations

from typing import Final

from penstock.detect import secrecy
from penstock.detect.value import Detector

_PASS: Final = (
    r"(?:[Pp]ass(?:word|wd|phrase|code|w|wort|ord)?|PASS(?:WORD|WD|PHRASE|CODE|WORT)?|[Pp]wd|PWD"
    r"|[Kk]ennwort|[Cc]ontrase(?:ñ|n)a|[Mm]ot de passe|[Ss]enha|[Pp]alavra-passe|[Ww]achtwoord|[Hh]aslo|[Hh]asło"
    r"|[Ll]ösenord|[Aa]dgangskode|[Ss]alasana|[Pp]arol[aăe]?|[Hh]eslo|[Jj]elszó|[Şş]ifre|[Ll]ozinka"
    r"|[Κκ]ωδικός|[Mm]ật khẩu|[Kk]ata sandi|[Пп]ароль|パスワード|密码|密碼|口令|비밀번호|암호"
    r"|كلمة المرور|كلمة السر|סיסמה|पासवर्ड|รหัสผ่าน)"
)
_SECRET: Final = (
    r"(?:[Ss]ecret|SECRET|[Tt]oken|TOKEN|(?:[Aa]pi|API|[Aa]pp|APP|[Cc]onsumer|CONSUMER|[Aa]dmin|ADMIN"
    r"|[Aa]ccess|ACCESS|[Aa]uth|AUTH|[Pp]rivate|PRIVATE|[Ss]ubscription|SUBSCRIPTION"
    r"|[Ss]igning|SIGNING|[Ee]ncryption|ENCRYPTION"
    r"|[Mm]aster|MASTER|[Ss]ecurity|SECURITY|[Ss]ession|SESSION|[Ll]icense|LICENSE|[Ss]ervice|SERVICE|[Aa]ccount"
    r"|ACCOUNT|[Ss]torage|STORAGE)[ _-]?(?:[Kk]ey|KEY)|[Cc]redentials?|CREDENTIALS?|[Bb]earer|BEARER"
    r"|(?:API|[Aa]pi)[ -]?(?:[Ss]chlüssel|ключ|密钥|密鑰|キー|키|avain|nøkkel|nyckel|sleutel|klíč|anahtarı)"
    r"|[Gg]eheimnis|[Cc]l(?:é|ef) (?:d[’']|de l[’'])?(?:API|api|secrète)"
    r"|[Cc](?:lave|have) (?:de |da )?(?:API|api|acceso)"
    r"|[Cc]hiave API|[Kk]lucz API|密钥|密鑰|令牌|トークン|シークレット|[Тт]окен|토큰)"
)
_MORE: Final = (
    r"(?:[_-]?(?:[Kk]ey|KEY|[Vv]alue|VALUE|[Bb]ase64|BASE64|[Ss]tring|STRING|[Hh]ash|HASH|[Bb]ase|BASE|[Tt]oken"
    r"|TOKEN|[Aa]ccess[_-]?[Kk]ey|ACCESS_KEY|[Ii][Dd]|[0-9]{1,2})){0,2}"
)
_GIVEN: Final = r"[\"'`\]]{0,2}[ \t]{0,4}(?:=>|:=|==?|:)[ \t]{0,4}"
_TOLD: Final = (
    r"(?:[\"']?[ \t]{1,3}(?:is|was|ist|est|es|è|é|lautet|war|jest|är|er|olan|set to|is set to|changed to|reset to)"
    r"(?:[ \t]{0,3}:)?[ \t]{1,3}|[ \t]{1,2}[—–-][ \t]{1,2}|(?:は|是|為|为)[：:]?[ \t]?|：)"
)
"""What a sentence says between the name and the value."""
_WHOSE: Final = (
    r"(?:[ \t](?:for|of|to|on|für|vom|von|zum|de|del|du|da|do|para|per|pour|voor|till|от|для|к|на|dla|do)"
    r"(?:[ \t][^\s:=\"']{1,20}){1,3})?"
)
"""Whose it is: the password for the server."""
_BARE: Final = r"\s\"'`<>,;|(){}\[\]\\"
_END: Final = r"(?=[.,;:?)\]}]{0,3}(?:[\s\"'`<>|&\\]|\Z)|[,;][^\s])"
_QUOTED: Final = (
    rf"(?:[rbuf]?\"(?P<value>[^\"\n\\]{{6,128}})\"|[rbuf]?'(?P<value>[^'\n\\]{{6,128}})'"
    rf"|`(?P<value>[^`\n\\]{{6,128}})`|(?P<value>[^{_BARE}]{{5,127}}[^{_BARE}.:?]){_END})"
)
_CODED: Final = r"[\"'](?P<value>[^\"'\n\\<>]{6,128})[\"']"
_STRICT: Final = rf"[\"']?(?P<value>[^{_BARE}=:-][^{_BARE}0-9=:]{{0,40}}[0-9][^{_BARE}]{{0,60}}[^{_BARE}.:?]){_END}"
"""With a digit in it: for where little else speaks for it."""
_SHELL: Final = r"[\"']?(?P<value>[^\s\"'`<>|;$(){}&-][^\s\"'`<>|;&]{4,126}[^\s\"'`<>|;&])(?=[\"'\s]|\Z)"
"""An argument of a command."""
_LINE: Final = r"(?: [^\n|;&]{0,160})?"
_LOGIN: Final = rf"(?:sshpass|(?:docker|podman|registry|oc|az) login|7za?){_LINE}"
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
        r"(?<![0-9A-Za-z_-])(?:eyJ|eyAi|ew[ok][0-9A-Za-z_-])[0-9A-Za-z_-]{8,3000}"
        r"\.(?:(?:eyJ|eyAi|ew[ok])[0-9A-Za-z_-]{8}|[0-9A-Za-z_-]{0,1000}\.[0-9A-Za-z_-]{8})",
        until=r"(?![0-9A-Za-z_-]|\.[0-9A-Za-z_-])",
        confidence=0.98,
        kind="secret",
        what="JSON web token",
    ),
    Detector(
        "private_key",
        "PRIVATE_KEY",
        # PEM of every kind (RSA, EC, ENCRYPTED, OPENSSH, PGP ... BLOCK), SSH2 with its four dashes, and PuTTY's.
        r"(?i)-{4,5} ?BEGIN {1,3}(?:[0-9A-Z]{1,16} {1,3}){0,4}PRIVATE {1,3}KEY(?: {1,3}BLOCK)? ?-{4,5}"
        r"|PuTTY-User-Key-File-[0-9]: ",
        until=r"(?i)-{4,5} ?END {1,3}(?:[0-9A-Z]{1,16} {1,3}){0,4}PRIVATE {1,3}KEY(?: {1,3}BLOCK)? ?-{4,5}"
        r"|Private-MAC: {0,2}(?:[0-9a-f]{64}|[0-9a-f]{40}(?![0-9a-f]))",
        confidence=0.99,
        kind="secret",
        what="private key in PEM, of any kind, or PuTTY's",
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
        r"|jdbc:oracle:[a-z]{3,8}:[^\s\"'<>@/:]{1,64}/[^\s\"'<>@/]{1,128}@[^\s\"'<>`]"
        r"|(?:DefaultEndpointsProtocol|(?:Account|Blob)?Endpoint|HostName|AccountName)=[^\s\"'<>;=]{1,200};"
        r"(?:[A-Za-z]{1,40}=[^\s\"'<>;]{0,120};){0,6}(?:AccountKey|SharedAccessKey|Secret)=[A-Za-z0-9+/])",
        check=secrecy.address,
        until=_URL_END,
        confidence=0.95,
        kind="secret",
        what="connection string with a password in it (URL, JDBC, ADO, Azure)",
    ),
    Detector(
        "password",
        "PASSWORD",
        # Named: in a file, a program, a sentence.
        rf"{_PASS}(?:[_-]?(?:[Vv]alue|[0-9]{{1,2}}))?(?:{_WHOSE}(?:{_GIVEN}|{_TOLD}){_QUOTED}"
        # As an argument, the value of an attribute, in quotes right behind the name, or in an element.
        rf"|[\"'][ \t]{{0,2}},[ \t]{{0,2}}{_CODED}|[\"'][ \t]{{1,3}}[Vv]alue={_CODED}|\([ \t]?{_CODED}"
        rf"|[ \t]{{1,3}}{_CODED}|>(?P<value>[^<>\s\"']{{6,128}})(?=</)"
        rf"|(?<=(?:--|[Ww]ith |[Mm]y |[Yy]our |[Uu]se |and |[Ll]ogin [^\s]{{1,40}} )[^\s]{{4,12}})"
        rf"[ \t]{{1,3}}{_STRICT})"
        # SQL, the servers' own words, .NET and PowerShell.
        rf"|(?:IDENTIFIED BY|identified by)[ \t]{{1,2}}{_CODED}|(?:requirepass|masterauth)[ \t]{{1,2}}{_SHELL}"
        rf"|ConvertTo-SecureString (?:-String )?{_CODED}|NetworkCredential\([\"'][^\"'\n]{{0,64}}[\"'],[ \t]?{_CODED}"
        rf"|[Nn]et user [^\s]{{1,40}} {_SHELL}|(?:\.login|auth=)\([\"'][^\"'\n]{{1,64}}[\"'],[ \t]?{_CODED}"
        # Arguments of commands.
        rf"|-p(?:(?<={_LOGIN} -p)[ ]?|(?<=(?:mysql[a-z]{{0,6}}|mariadb[a-z-]{{0,6}}){_LINE} -p)){_SHELL}"
        rf"|-P(?<=(?:sqlcmd|bcp|osql|zip){_LINE} -P)[ ]?{_SHELL}|-a(?<=redis-cli{_LINE} -a)[ ]{_SHELL}"
        rf"|-(?:u|-user|a)(?<=(?:curl|wget|http|https){_LINE} -(?:u|-user|a))[ =]?[\"']?[^\s:\"'<>]{{1,64}}:{_SHELL}",
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
        (
            rf"{_SECRET}{_MORE}(?:(?:{_GIVEN}|{_TOLD}){_QUOTED}"
            rf"|[\"'][ \t]{{0,2}},[ \t]{{0,2}}{_CODED}|[\"'][ \t]{{1,3}}[Vv]alue={_CODED}|\([ \t]?{_CODED}"
            rf"|\"[ \t]\{{[^{{}}\"]{{0,160}}(?:\"[^\"\n]{{0,80}}\"[^{{}}\"]{{0,80}})?"
            rf"default[ \t]{{0,12}}=[ \t]{{0,3}}{_CODED}"
            rf"|>(?P<value>[^<>\s\"']{{8,512}})(?=</)"
            rf"|(?<=(?:--|setx |set -gx |setenv )[0-9A-Za-z_-]{{4,60}})[ \t]{{1,2}}{_STRICT})"
        ).replace(_BARE, _BARE + "&"),
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
        r"(?<![0-9A-Za-z])(?:(?:[Bb]earer|BEARER)[\"']?,?[ \t]{1,3}[\"']?(?P<value>[0-9A-Za-z._~+/=-]{12,512})"
        r"|(?:[Bb]asic|BASIC)[\"']?,?[ \t]{1,3}[\"']?"
        r"(?P<value>(?:[0-9A-Za-z+/]{4}){2,100}(?:[0-9A-Za-z+/]{4}|[0-9A-Za-z+/]{3}=|[0-9A-Za-z+/]{2}==))"
        r"|(?:[Aa]uthorization|AUTHORIZATION)[\"'\]]{0,2}[ \t]{0,2}[:=,][ \t]{0,2}[\"'`]?"
        r"(?:[A-Za-z][A-Za-z-]{1,19}[ \t]{1,2}(?:token=[\"']?)?)?(?P<value>[0-9A-Za-z._~+/=-]{12,512})"
        r"|\"auth\"[ \t]{0,2}:[ \t]{0,2}\""
        r"(?P<value>(?:[0-9A-Za-z+/]{4}){2,100}(?:[0-9A-Za-z+/]{4}|[0-9A-Za-z+/]{3}=|[0-9A-Za-z+/]{2}==)))"
        r"(?![0-9A-Za-z._~+/=-])",
        group="value",
        measure=secrecy.credential,
        confidence=0.9,
        kind="secret",
        what="HTTP authorization: Bearer ..., Basic ...",
        proof="entropy",
    ),
    Detector(
        "url_credentials",
        "URL_CREDENTIALS",
        r"(?<![0-9A-Za-z.+-])[A-Za-z][0-9A-Za-z.+-]{1,30}://[^\s:@/?#\"'<>`]{0,128}:[^\s@/?#\"'<>`]{1,256}@[^\s\"'<>`]",
        check=secrecy.address,
        until=_URL_END.replace("<>", "<>;"),
        confidence=0.95,
        kind="secret",
        what="URL with a user name and a password in it",
    ),
)

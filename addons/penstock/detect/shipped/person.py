"""What is known of a person: when born, where."""

from __future__ import annotations

from typing import Final

from penstock.detect import places
from penstock.detect.shipped.edges import BEGIN
from penstock.detect.value import Detector

_BORN: Final = (
    "born", "dob", "d.o.b", "d.o.b.", "date of birth", "birth date", "birthdate", "birthday", "birth", "birthdy",
    "b-day", "bday",
    "geboren", "geb", "geb.", "geburtsdatum", "geburtstag", "né le", "née le", "né", "née", "naissance", "ddn",
    "nacido", "nacida",
    "nació", "nací", "nacieron", "nacimos", "nacimiento", "fecha de nacimiento", "nac", "f. nac", "fnac", "f.nac",
    "nato", "nata", "nascita",
    "data di nascita", "nascido", "nascida", "nasceu", "nasci",
    "nascimento", "data de nascimento", "geboortedatum", "urodzony", "urodzona", "urodzenia", "data urodzenia", "ur.",
    "född", "födelsedatum", "født", "fødselsdato", "syntynyt",
    "syntymäaika", "doğum", "doğum tarihi", "narozen", "дата рождения", "родился", "родилась", "生年月日",
    "出生日期", "出生",
    "생년월일", "जन्म तिथि",
)  # fmt: skip
_PLACE: Final = (
    "gps", "lat", "latitude", "lon", "lng", "longitude", "coordinates", "coordinate", "coords", "location",
    "geo", "geolocation", "latlng", "latlon", "lat/lon", "lat/long", "mlat", "mlon", "gpslatitude",
    "gpslongitude", "gpsposition", "koordinaten", "breite", "länge",
    "breitengrad",
    "längengrad", "standort", "coordonnées",
    "position gps", "coordenadas", "latitud", "longitud", "ubicación", "coordinate gps", "latitudine", "longitudine",
    "geopoint", "drop a pin", "pin at", "dropped pin", "point(", "point (", "latlong", "maps", "geohash", "centroid",
    "coördinaten", "współrzędne", "座標", "坐标",
    "緯度", "経度", "纬度", "经度", "좌표", "위도", "경도", "waypoint",
)  # fmt: skip
_MEASURED: Final = (
    "value", "score", "mean", "median", "average", "loss", "accuracy", "precision", "recall", "f1", "auc", "rmse",
    "mse", "mae", "error", "std", "sd", "variance", "price", "ratio", "rate", "weight", "probability",
    "interval", "range",
    "metric", "result", "vector", "tensor", "array", "matrix", "bbox", "box", "size", "width", "height", "scale", "usd",
    "eur", "row", "column", "sum", "total", "coefficient", "p-value", "wert", "preis", "prix", "precio",
)  # fmt: skip
"""Right before two numbers: they are measured, and no place."""
_MONTH: Final = r"[A-Za-z\u00c0-\u024f\u0410-\u045f]{3,10}\.?"
_DECIMAL: Final = r"[+-]?[0-9]{1,3}\.[0-9]{2,12}"
# A single number counts right after its label only; each lookbehind has one width, or a stream would wait for more.
_LABELS: Final = ("(?:[Ll](?:[AaOo][TtNn]|[Nn][Gg])|[Oo][Nn][Gg]|[Uu][Dd][Ee]|[Tt][Uu][Dd]|[Dd]ine|rad)", "[度도]")
_SIGNS: Final = ("[:= >]", "(?:: |=\"|='|\":|':|> )", '(?:": |":"|\': | = | : )', '(?:": "|\': \'| is |" : )')
_AFTER_LABEL: Final = (
    "(?=[+-]?[0-9])(?:" + "|".join(f"(?<={label}{sign})" for label in _LABELS for sign in _SIGNS) + ")"
)

PERSON: Final = (
    Detector(
        "date_of_birth",
        "DATE_OF_BIRTH",
        BEGIN
        + r"(?:[0-9]{4}[./-][0-9]{1,2}[./-][0-9]{1,2}"
        + r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
        + r"|[0-9]{1,2} ?[./-] ?[0-9]{1,2} ?[./-] ?(?:[0-9]{4}|[0-9]{2})"
        + rf"|[0-9]{{1,2}}(?:st|nd|rd|th|er|\.|o)?[ -](?:of |de |di )?{_MONTH}(?:,| de| del)?[ -][0-9]{{4}}"
        + rf"|{_MONTH} [0-9]{{1,2}}(?:st|nd|rd|th)?,? [0-9]{{4}}"
        + r"|[0-9]{4}年 ?[0-9]{1,2}月 ?[0-9]{1,2}日|[0-9]{4}년 ?[0-9]{1,2}월 ?[0-9]{1,2}일|[0-9]{8})(?![0-9A-Za-z])",
        check=places.birthday,
        context=_BORN,
        confidence=0.9,
        kind="person",
        what="date of birth",
        proof="a day of the last 130 years",
    ),
    Detector(
        "gps_coordinates",
        "GPS_COORDINATES",
        r"(?=[+NSns0-9-])(?<![0-9A-Za-z])(?<![0-9]\.)(?:"
        rf"{_DECIMAL}°? ?[NSns]?[ ,;/|]{{1,3}}{_DECIMAL}(?:°? ?[EWOeo](?![A-Za-z])|°)?"
        rf"|[NSns] ?{_DECIMAL}°?[ ,;/]{{1,3}}[EWOewo] ?{_DECIMAL}°?"
        r"|(?:[NS] ?)?[0-9]{1,2} ?° ?[0-9]{1,2}(?:\.[0-9]{1,6})? ?['′’](?: ?[0-9]{1,2}(?:\.[0-9]{1,6})? ?(?:[\"”]|''"
        r"|′′))? ?[NS]?[ ,;/]{1,3}"
        r"(?:[EWO] ?)?[0-9]{1,3} ?° ?[0-9]{1,2}(?:\.[0-9]{1,6})? ?['′’](?: ?[0-9]{1,2}(?:\.[0-9]{1,6})? ?(?:[\"”]|''"
        r"|′′))?(?: ?[EWO](?![A-Za-z]))?"
        rf"|{_AFTER_LABEL}" + _DECIMAL + r")(?![0-9])(?!\.[0-9])",
        check=places.coordinates,
        context=_PLACE,
        # Four places are ten metres: what else comes in pairs is seldom so exact.
        alone=r"(?=.*[NSns°])(?=.*[EWOewo°]).*[0-9°'′’\"”].*[,;/ ].+"
        r"|(?=.*[0-9]{2}\.)[+-]?[0-9]{1,3}\.[0-9]{4,12} ?, ?[+-]?[0-9]{1,3}\.[0-9]{4,12}",
        against=_MEASURED,
        confidence=0.85,
        kind="person",
        what="place on the earth: latitude and longitude",
        proof="within 90 and 180 degrees",
    ),
)

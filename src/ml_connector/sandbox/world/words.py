"""The words that seeded names, places and goods are made of.

Rule: made up or generic; no real company.
It must not know what is made of them.
"""

from typing import NamedTuple


class Land(NamedTuple):
    """A country as an address needs it."""

    code: str
    language: str
    currency: str
    legal_form: str
    state: str | None
    cities: tuple[str, ...]
    streets: tuple[str, ...]
    zip_format: str


LANDS = (
    Land("NO", "no", "EUR", "AS", None, ("Ålesund", "Tromsø", "Bodø"), ("Fjordgata", "Øvre vei"), "{:04d}"),
    Land("SE", "sv", "SEK", "AB", None, ("Malmö", "Västerås", "Luleå"), ("Åkergatan", "Norra vägen"), "{:05d}"),
    Land("DE", "de", "EUR", "GmbH & Co. KG", None, ("Köln", "Görlitz", "Ulm"), ("Hauptstraße", "Am Ring"), "{:05d}"),
    Land(
        "GB", "en", "GBP", "Ltd", "Kent", ("Deal", "King's Lynn", "Bath"), ("Mill Lane", "St. Mary's Rd"), "AB{:d} 3CD"
    ),
    Land("US", "en", "USD", "Inc.", "OH", ("Dayton", "Lima", "O'Fallon"), ("Main St.", "5th Ave #"), "{:05d}"),
    Land(
        "FR",
        "fr",
        "EUR",
        "S.à r.l.",
        None,
        ("Nîmes", "Sète", "L'Haÿ-les-Roses"),
        ("rue de l'Église", "quai Sud"),
        "{:05d}",
    ),
    Land("JP", "ja", "JPY", "株式会社", None, ("大阪市", "札幌市"), ("北一条西", "本町"), "100-{:04d}"),
    Land("KW", "ar", "KWD", "W.L.L.", None, ("الكويت", "Hawalli"), ("Block 4, St.", "شارع"), "{:05d}"),
)

FIRST = (
    "Nordic", "Atlas", "Sankt Göran", "Blue & Green", "O'Hara", "Brüder Weiß", "Œuvre", "Müller", "Świat", "Delta",
    "Fjell", "Škoda & Syn", "North <Star>", "Três Irmãos", "Kowalski", "Ağaç", "Iron Hill", "Süd", "Zebra", "Ångström",
)  # fmt: skip
SECOND = (
    "Steel", "Logistik", "Papier", "Paint", "Bearings", "Værktøj", "Catering", "Elektro", "Plastics", "Fasteners",
    "Hydraulics", "Transport", "Chemie", "Façades", "Cleaning", "Timber", "Optik", "Seals", "Tools", "Software",
)  # fmt: skip
ODD_NAMES = (
    " Leading Space Trading", "Trailing Space Supply ", "D'Angelo's \"Best\" Parts", "R&D <Labs> & Sons",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft mbH & Co. KGaA, Wien",
    "松本精密工業", "Ünïcôdé — “Quoted” Co.", "100% Clean; Rinse/Repeat #1 + More", "Łódź 🔩 Bolts", "a",
)  # fmt: skip
GOODS = (
    "Hex bolt M8×40", "Paint, RAL 7035", "Bearing 6204-2RS", "Office chair", "Consulting, per hour", "Cable 3×1.5 mm²",
    "Gasket <DN50>", "O-ring 20 mm", "Toner \"black\"", "Steel sheet 2 mm", "Catering & coffee", "Licence, 1 year",
)  # fmt: skip
UNITS = ("PCS", "PCS", "L", "PCS", "H", "M", "PCS", "PCS", "PCS", "KG", "PCS", "PCS")
BUYERS = ("ALAIN", "BIRGIT", "CHEN", "DMITRI", "*")
DECIMALS = {"EUR": 2, "USD": 2, "GBP": 2, "SEK": 2, "JPY": 0, "KWD": 3}
COMPANY_CURRENCIES = ("EUR", "USD", "GBP", "SEK")
COMPANY_COUNTRIES = ("DE", "US", "GB", "SE")

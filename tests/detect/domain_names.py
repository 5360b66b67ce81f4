"""Domains nearly like a known one, and neighbours that are not meant for it. Known are KNOWN and common providers."""

KNOWN = (
    "yamada-shokai.co.jp",
    "example.co.jp",
    "sakuragaoka.example.net",
    "midori-kosan.com",
    "school1.ed.jp",
    "school2.ed.jp",
    "nitto.co.jp",
    "abc.or.jp",
    "xn--eckwd4c7cu47r2wf.jp",
    "kawasaki-taiiku.or.jp",
)

RESEMBLE = (
    ("gmial.com", "gmail.com"),
    ("gmai.com", "gmail.com"),
    ("gmaill.com", "gmail.com"),
    ("gnail.com", "gmail.com"),
    ("gmail.co", "gmail.com"),
    ("gmail.co.jp", "gmail.com"),
    ("grnail.com", "gmail.com"),
    ("yaho.co.jp", "yahoo.co.jp"),
    ("yahooo.co.jp", "yahoo.co.jp"),
    ("yah00.co.jp", "yahoo.co.jp"),
    ("yahoo.ne.jp", "yahoo.co.jp"),
    ("docono.ne.jp", "docomo.ne.jp"),
    ("docomo.co.jp", "docomo.ne.jp"),
    ("docmo.ne.jp", "docomo.ne.jp"),
    ("sofbank.ne.jp", "softbank.ne.jp"),
    ("softbunk.ne.jp", "softbank.ne.jp"),
    ("softbnak.ne.jp", "softbank.ne.jp"),
    ("ezwed.ne.jp", "ezweb.ne.jp"),
    ("hotmai.com", "hotmail.com"),
    ("hotmial.co.jp", "hotmail.co.jp"),
    ("outlok.jp", "outlook.jp"),
    ("outlook.ne.jp", "outlook.jp"),
    ("iclould.com", "icloud.com"),
    ("yamada-shokal.co.jp", "yamada-shokai.co.jp"),
    ("yarnada-shokai.co.jp", "yamada-shokai.co.jp"),
    ("yamadashokai.co.jp", "yamada-shokai.co.jp"),
    ("yamada-shokai.com", "yamada-shokai.co.jp"),
    ("mail.yamada-shokia.co.jp", "yamada-shokai.co.jp"),
    ("midori-kosan.co.jp", "midori-kosan.com"),
    ("midori-kousan.com", "midori-kosan.com"),
    ("xn--exmple-4nf.co.jp", "example.co.jp"),  # a Cyrillic letter
    ("xn--exmple-cua.co.jp", "example.co.jp"),  # a letter with an accent
    ("examp1e.co.jp", "example.co.jp"),
    ("exampel.co.jp", "example.co.jp"),
    ("gmail.com.example.org", "gmail.com"),
    ("kawasaki-taiku.or.jp", "kawasaki-taiiku.or.jp"),
)

RESEMBLE_NOBODY = (
    "gmail.com",
    "mail.gmail.com",
    "yahoo.co.jp",
    "yahoo.com",
    "email.com",
    "ymail.com",
    "icloud.com",
    "live.jp",
    "example.co.jp",
    "sub.example.co.jp",
    "school2.ed.jp",
    "school3.ed.jp",
    "nitta.co.jp",
    "nitta.or.jp",
    "abd.or.jp",
    "abc.ac.jp",
    "a1.jp",
    "line.me",
    "city.kawasaki.jp",
    "pref.kanagawa.jp",
    "metro.tokyo.lg.jp",
    "yamada.co.jp",
    "yamada-kogyo.co.jp",
    "midori.com",
    "example.edu",
    "softmart.ne.jp",
    "gmo.jp",
    "[192.0.2.1]",
    "localhost",
    "co.jp",
    "jp",
    "xn--",
    "xn--99999999999",
)

MISSED = (
    ("icould.com", "icloud.com"),
    ("nito.co.jp", "nitto.co.jp"),
    ("midori-kohsann.com", "midori-kosan.com"),
)
"""Nearly a known one, and not told: two errors in a short name, a short name, two errors."""

MISTAKEN = ("softmark.ne.jp", "gmain.com", "midori-kasan.com")
"""Names of their own, as near to a known one as a mistype is."""

"""Customers of the bench's shop: surnames about as frequent as in Japan, and a long tail of rare ones."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import product

# Kanji, reading, romaji, share of all orders in per mille.
_COMMON = (
    ("佐藤", "サトウ", "sato", 16),
    ("鈴木", "スズキ", "suzuki", 15),
    ("高橋", "タカハシ", "takahashi", 12),
    ("田中", "タナカ", "tanaka", 11),
    ("伊藤", "イトウ", "ito", 9),
    ("渡辺", "ワタナベ", "watanabe", 9),
    ("山本", "ヤマモト", "yamamoto", 9),
    ("中村", "ナカムラ", "nakamura", 9),
    ("小林", "コバヤシ", "kobayashi", 9),
    ("加藤", "カトウ", "kato", 8),
    ("吉田", "ヨシダ", "yoshida", 7),
    ("山田", "ヤマダ", "yamada", 7),
    ("佐々木", "ササキ", "sasaki", 6),
    ("山口", "ヤマグチ", "yamaguchi", 6),
    ("松本", "マツモト", "matsumoto", 6),
    ("井上", "イノウエ", "inoue", 6),
    ("木村", "キムラ", "kimura", 5),
    ("林", "ハヤシ", "hayashi", 5),
    ("斎藤", "サイトウ", "saito", 5),
    ("清水", "シミズ", "shimizu", 5),
    ("弥生", "ヤヨイ", "yayoi", 0.1),
    ("勘解由小路", "カデノコウジ", "kadenokoji", 0.02),
)
_FRONT = (
    ("青", "アオ", "ao"),
    ("赤", "アカ", "aka"),
    ("石", "イシ", "ishi"),
    ("岩", "イワ", "iwa"),
    ("上", "ウエ", "ue"),
    ("梅", "ウメ", "ume"),
    ("大", "オオ", "o"),
    ("岡", "オカ", "oka"),
    ("奥", "オク", "oku"),
    ("川", "カワ", "kawa"),
    ("北", "キタ", "kita"),
    ("黒", "クロ", "kuro"),
    ("桑", "クワ", "kuwa"),
    ("坂", "サカ", "saka"),
    ("白", "シラ", "shira"),
    ("杉", "スギ", "sugi"),
    ("竹", "タケ", "take"),
    ("中", "ナカ", "naka"),
    ("長", "ナガ", "naga"),
    ("西", "ニシ", "nishi"),
    ("野", "ノ", "no"),
    ("橋", "ハシ", "hashi"),
    ("平", "ヒラ", "hira"),
    ("深", "フカ", "fuka"),
    ("福", "フク", "fuku"),
    ("藤", "フジ", "fuji"),
    ("星", "ホシ", "hoshi"),
    ("堀", "ホリ", "hori"),
    ("松", "マツ", "matsu"),
    ("水", "ミズ", "mizu"),
    ("宮", "ミヤ", "miya"),
    ("森", "モリ", "mori"),
    ("横", "ヨコ", "yoko"),
)
_BACK = (
    ("井", "イ", "i"),
    ("岡", "オカ", "oka"),
    ("尾", "オ", "o"),
    ("垣", "ガキ", "gaki"),
    ("川", "カワ", "kawa"),
    ("木", "キ", "ki"),
    ("口", "グチ", "guchi"),
    ("倉", "クラ", "kura"),
    ("坂", "サカ", "saka"),
    ("崎", "サキ", "saki"),
    ("沢", "サワ", "sawa"),
    ("島", "シマ", "shima"),
    ("谷", "タニ", "tani"),
    ("田", "タ", "ta"),
    ("塚", "ツカ", "tsuka"),
    ("戸", "ト", "to"),
    ("永", "ナガ", "naga"),
    ("野", "ノ", "no"),
    ("原", "ハラ", "hara"),
    ("部", "ベ", "be"),
    ("松", "マツ", "matsu"),
    ("宮", "ミヤ", "miya"),
    ("村", "ムラ", "mura"),
    ("本", "モト", "moto"),
    ("山", "ヤマ", "yama"),
)
_GIVEN = (
    ("太郎", "タロウ", "taro"),
    ("花子", "ハナコ", "hanako"),
    ("一郎", "イチロウ", "ichiro"),
    ("健太", "ケンタ", "kenta"),
    ("翔太", "ショウタ", "shota"),
    ("大輔", "ダイスケ", "daisuke"),
    ("誠", "マコト", "makoto"),
    ("浩", "ヒロシ", "hiroshi"),
    ("直樹", "ナオキ", "naoki"),
    ("拓也", "タクヤ", "takuya"),
    ("和也", "カズヤ", "kazuya"),
    ("亮", "リョウ", "ryo"),
    ("美咲", "ミサキ", "misaki"),
    ("陽子", "ヨウコ", "yoko"),
    ("恵子", "ケイコ", "keiko"),
    ("裕子", "ユウコ", "yuko"),
    ("久美子", "クミコ", "kumiko"),
    ("さくら", "サクラ", "sakura"),
    ("愛", "アイ", "ai"),
    ("優子", "ユウコ", "yuko"),
    ("智子", "トモコ", "tomoko"),
    ("麻衣", "マイ", "mai"),
    ("真由美", "マユミ", "mayumi"),
    ("由美子", "ユミコ", "yumiko"),
    ("隆", "タカシ", "takashi"),
    ("修", "オサム", "osamu"),
    ("茂", "シゲル", "shigeru"),
    ("洋平", "ヨウヘイ", "yohei"),
    ("悠人", "ユウト", "yuto"),
    ("結衣", "ユイ", "yui"),
)
_COMPANIES = (
    "青空商事",
    "ひまわり食品",
    "東海電機",
    "山の手出版",
    "さくら物産",
    "北斗運輸",
    "みなと薬局",
    "若葉建設",
)
_COMPANY_FORMS = ("株式会社{}", "{}株式会社", "有限会社{}", "合同会社{}")
_MAIL_HOSTS = ("mail.example.jp", "example.jp", "example.com", "keitai.example.jp", "shop.example.org")
_MOBILE = ("090", "080", "070")
_AREA = ("03", "06", "045", "052", "075", "011", "092")


@dataclass(frozen=True)
class Person:
    """Who ordered."""

    name: str
    kana: str
    company: str
    email: str
    phone: str


class People:
    """Draws customers; the same for the same generator of random numbers."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        tail = [(a + x, b + y, c + z) for (a, b, c), (x, y, z) in product(_FRONT, _BACK) if a != x]
        self._surnames = [entry[:3] for entry in _COMMON] + tail
        rest = 1000 - sum(entry[3] for entry in _COMMON)
        weights = [entry[3] for entry in _COMMON] + [rest / len(tail)] * len(tail)
        self._weights: list[float] = []
        total = 0.0
        for weight in weights:
            total += weight
            self._weights.append(total)

    def one(self) -> Person:
        """The next customer."""
        draw = self._draw
        surname, reading, latin = draw.choices(self._surnames, cum_weights=self._weights)[0]
        given, given_reading, given_latin = draw.choice(_GIVEN)
        company = ""
        if draw.random() < 0.15:
            company = draw.choice(_COMPANY_FORMS).format(draw.choice(_COMPANIES))
        email = f"{given_latin}.{latin}{draw.randrange(10_000)}@{draw.choice(_MAIL_HOSTS)}"
        return Person(f"{surname} {given}", f"{reading} {given_reading}", company, email, self._phone())

    def _phone(self) -> str:
        draw = self._draw
        if draw.random() < 0.8:
            return f"{draw.choice(_MOBILE)}-{draw.randrange(10_000):04}-{draw.randrange(10_000):04}"
        area = draw.choice(_AREA)
        middle = 10 - len(area) - 4
        return f"{area}-{draw.randrange(10**middle):0{middle}}-{draw.randrange(10_000):04}"

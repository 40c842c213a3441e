"""What the demo shop sells, how it is paid, and names for its customers."""

from __future__ import annotations

# (code, name, options, price 税抜, tax rate)
PRODUCTS: tuple[tuple[str, str, str, int, int], ...] = (
    ("tops_02-04", "綿パイルTシャツ", "カラー: 墨グレー / サイズ: S", 2000, 10),
    ("tops_02-05", "綿パイルTシャツ", "カラー: 墨グレー / サイズ: M", 2000, 10),
    ("tops_05-01", "リネンシャツ", "カラー: 生成り / サイズ: M", 6800, 10),
    ("bag_01", "帆布トートバッグ", "カラー: 藍", 4500, 10),
    ("cup_03", "益子焼マグカップ", "", 1800, 10),
    ("towel_11", "今治フェイスタオル", "3枚組", 2400, 10),
    ("tea_01", "深蒸し煎茶", "100g", 1080, 8),
    ("jam_02", "ゆずジャム", "140g", 780, 8),
    ("umb_01", "折りたたみ日傘", "カラー: 黒", 5200, 10),
    ("soap_04", "オリーブ石けん", "3個組", 1650, 10),
)

# (name on screen, kind, code of the gateway account or nothing, charge 税込)
METHODS: tuple[tuple[str, str, str, int], ...] = (
    ("GMOクレジット決済", "card", "gmo", 0),
    ("ペイジェントクレジット決済", "card", "paygent", 0),
    ("SBPSクレジット決済", "card", "sbps", 0),
    ("GMOコンビニ決済", "cvs", "gmo", 220),
    ("GMO Pay-easy決済(銀行ATM)", "payeasy_atm", "gmo", 220),
    ("GMO Pay-easy決済(ネットバンク)", "payeasy_net", "gmo", 220),
    ("auかんたん決済", "au", "gmo", 0),
    ("ドコモケータイ払い", "docomo", "gmo", 0),
    ("ソフトバンクまとめて支払い", "softbank", "gmo", 0),
    ("楽天ペイ", "rakuten", "gmo", 0),
    ("銀行振込", "", "", 0),
)
# How often customers choose each card account.
CARD_ACCOUNTS: dict[str, int] = {"gmo": 7, "paygent": 2, "sbps": 1}

# (name, kana)
FAMILY_NAMES: tuple[tuple[str, str], ...] = (
    ("佐藤", "サトウ"),
    ("鈴木", "スズキ"),
    ("高橋", "タカハシ"),
    ("田中", "タナカ"),
    ("伊藤", "イトウ"),
    ("渡辺", "ワタナベ"),
    ("山本", "ヤマモト"),
    ("中村", "ナカムラ"),
    ("小林", "コバヤシ"),
    ("加藤", "カトウ"),
    ("吉田", "ヨシダ"),
    ("山田", "ヤマダ"),
    ("斎藤", "サイトウ"),
    ("勘解由小路", "カデノコウジ"),
)
GIVEN_NAMES: tuple[tuple[str, str], ...] = (
    ("太郎", "タロウ"),
    ("花子", "ハナコ"),
    ("一郎", "イチロウ"),
    ("陽子", "ヨウコ"),
    ("健", "ケン"),
    ("さくら", "サクラ"),
    ("弥生", "ヤヨイ"),
    ("翔太", "ショウタ"),
)
COMPANIES: tuple[str, ...] = ("", "", "", "", "", "株式会社みほん商事", "有限会社れいだい工務店")
# (prefecture, postal code, address)
PLACES: tuple[tuple[str, str, str], ...] = (
    ("東京都", "100-0001", "千代田区千代田1-1"),
    ("大阪府", "530-0001", "大阪市北区梅田1-1"),
    ("大分県", "870-0026", "大分市金池町2-1"),
    ("北海道", "060-0001", "札幌市中央区北一条西1-1"),
    ("愛知県", "450-0002", "名古屋市中村区名駅1-1"),
    ("福岡県", "812-0011", "福岡市博多区博多駅前1-1"),
    ("京都府", "600-8216", "京都市下京区東塩小路町1"),
)
QUESTIONS: tuple[str, ...] = (
    "",
    "",
    "",
    "",
    "プレゼント用の包装をお願いします。",
    "平日の日中は不在です。夜間の配達を希望します。",
    "領収書の宛名は会社名でお願いします。",
)

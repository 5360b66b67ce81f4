"""Tables of people, and tables of other things."""

from __future__ import annotations

from tests.detect.labelled import Text

PERSONS = [
    Text("氏名,住所,電話\n佐藤花子,横浜市中区1-1,045-111-2222\n鈴木一郎,川崎市幸区2-2,044-333-4444", 2),
    Text("番号\t氏名\t生年月日\n1\t田中次郎\t1980/4/1\n2\t高橋三郎\t1990/5/5\n3\t伊藤四郎\t2000/6/6", 3),
    Text("佐藤 花子,1985/4/1,女\n鈴木 一郎,1990/5/2,男", 2, "no heading"),
    Text("名前|学年|保護者\n佐藤花子|3年|佐藤太郎\n鈴木一郎|5年|鈴木次郎", 2),
    Text("会員名,メール\nサトウ ハナコ,hanako@example.com\nスズキ イチロウ,ichiro@example.net", 2),
    Text("氏名,電話\n佐藤花子,090-1111-2222\n佐藤花子,090-1111-2222", 1, "the same person twice"),
    Text("品名,単価,数量\nボール,1200,10\nネット,8000,2", 0),
    Text("日付,会場,時間\n11月21日,体育館,9:00\n11月22日,プール,10:00", 0),
    Text("氏名,出欠\n佐藤花子,○\n鈴木一郎,×", 0, "names, and nothing about them"),
    Text("担当,電話\n総務課,045-111-2222\n経理課,045-111-3333", 0, "offices"),
    Text("こんにちは、佐藤です。\n明日、鈴木さんと伺います。", 0, "sentences with commas"),
    Text("氏名\t住所\n佐藤花子\t横浜市中区\n鈴木一郎\t川崎市幸区\n田中次郎\t相模原市", 3),
    Text("お名前,お電話,メール\n佐藤花子,090-1111-2222,a@example.com\n鈴木一郎,,b@example.com", 2, "gaps"),
    Text("児童名,保護者,生年月日\n佐藤花子,佐藤太郎,2016/4/1\n鈴木一郎,鈴木次郎,2017/5/5", 2),
    Text("name,birth,phone\nHanako Sato,1990-01-01,090-1111-2222\nIchiro Suzuki,1991-02-02,090-3333-4444", 2),
    Text("参加者氏名|年齢|性別\n佐藤花子|8|女\n鈴木一郎|9|男\n田中次郎|9|男", 3),
    Text(
        "テニス教室 名簿,,\n,,\n氏名,住所,電話\n佐藤花子,中区,045-111-2222\n鈴木一郎,西区,045-333-4444",
        2,
        "a title above",
    ),
    Text("田中 次郎\t1980/04/01\t横浜市中区1-1\n高橋 三郎\t1990/05/05\t川崎市幸区2-2", 2, "no heading"),
    Text("ﾌﾘｶﾞﾅ,生年月日\nｻﾄｳ ﾊﾅｺ,S60.4.1\nｽｽﾞｷ ｲﾁﾛｳ,H2.5.5", 2, "half width"),
    Text("姓,名,住所\n佐藤,花子,横浜市\n鈴木,一郎,川崎市", 2, "two columns for the name"),
    Text("会員番号,氏名,口座番号\n1,佐藤花子,1234567\n2,鈴木一郎,7654321", 2),
    Text("利用者名,アレルギー\n佐藤花子,卵\n鈴木一郎,なし", 2),
    Text("氏名,学年,クラス\n佐藤花子,3,2\n佐藤花子,4,1", 2, "one name, two people"),
    Text("世帯主,世帯人数\n佐藤花子,3\n鈴木一郎,4", 2),
    Text("full name,e-mail\nHanako Sato,h@example.com\nHanako Sato,h@example.com", 1, "twice the same"),
    Text("品名,色,数量\nボール,赤,10\nネット,青,2", 0),
    Text("会場,住所\n中央体育館,横浜市中区1-1\n西プール,横浜市西区2-2", 0, "places"),
    Text(
        "部署,電話,メール\n総務課,045-111-2222,s@example.jp\n経理課,045-111-3333,k@example.jp", 0, "offices"
    ),
    Text("日付,曜日,担当\n11/21,金,佐藤\n11/22,土,鈴木", 0, "a duty list"),
    Text("お世話になっております、佐藤です。\n先日の件、鈴木に確認します。", 0, "sentences"),
    Text("収入,支出,残高\n1000,200,800\n500,100,1200", 0),
    Text("議題,説明者\n予算,佐藤\n人事,鈴木", 0, "names, and nothing about them"),
    Text("氏名,住所,電話", 0, "a heading alone"),
    Text("氏名：\n住所：\n電話：", 0, "an empty form"),
    Text("氏名,住所\n,\n,", 0, "a form with empty rows"),
    Text("東京都,1400\n大阪府,880\n神奈川県,920", 0, "prefectures"),
    Text("A,B,C\n1,2,3\n4,5,6", 0),
    Text("09:00-10:00,開会\n10:00-11:00,講演", 0),
    Text("電話,住所\n045-111-2222,横浜市中区1-1\n045-333-4444,横浜市西区2-2", 0, "no names"),
    Text("チーム,勝,負\n横浜東,3,1\n川崎南,2,2", 0, "teams that look like names"),
    Text(
        "氏名：佐藤花子\n電話：090-1111-2222\n\n氏名：鈴木一郎\n電話：090-3333-4444",
        2,
        "one below the other",
        missed=True,
    ),
    Text("佐藤花子（横浜市中区1-1）、鈴木一郎（川崎市幸区2-2）", 2, "in a sentence", missed=True),
    Text(
        "氏名,住所\n見本商会,横浜市中区1-1\n例示工業,川崎市幸区2-2",
        0,
        "companies under a heading for people",
        missed=True,
    ),
]

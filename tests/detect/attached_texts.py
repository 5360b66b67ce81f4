"""Bodies that say that something is attached, and bodies that use the same words for something else."""

SPEAK = (
    "資料を添付いたします。",
    "議事録を添付しますので、ご確認ください。",
    "添付の資料をご覧ください。",
    "添付ファイルをご確認ください。",
    "詳細は別添のとおりです。",
    "別紙1をご参照ください。",
    "名簿を添付しております",
    "申込書を同封いたします。",
    "先日ご依頼いただいた見積書を添付いたします。",
    "先日の会議の議事録を添付しました。",
    "先ほどは添付を忘れておりました。改めて添付いたします。",
    "先ほど添付し忘れましたので、添付して再送いたします。",
    "添付の申請書に記入のうえ、ご提出ください。",
    "添付資料はご来館の際にお持ちください。",
    "添付ファイルが開けない場合はご連絡ください。",
    "写真を付けておきます。",
    "会場の地図（添付）のほか、添付にて日程表をお送りします。",
    "ＰＤＦを添付させていただきます",
    "請求書を添付致します。ご査収ください。",
    "データを添えてお送りします。資料を添えておりますのでご覧ください。",
    "ﾌｧｲﾙを添付します",
    "Please find attached the minutes of the meeting.",
    "Attached is the list of members.",
    "I have attached the application form.",
    "See the attached file for details.",
    "The invoice is attached.",
    "I'm attaching the photos from Saturday.",
    "Please see enclosed our price list.",
)

DO_NOT_SPEAK = (
    "添付はありません。",
    "このメールに添付ファイルはございません。",
    "不審なメールの添付ファイルは開かないでください。",
    "添付ファイルを開けないでください。",
    "前回添付した資料をご覧ください。",
    "先日お送りしたメールに添付の資料をご確認ください。",
    "昨日のメールに添付しました表をご参照ください。",
    "資料は後ほど添付いたします。",
    "後日、メールに添付してお送りします。",
    "申込書に写真を添付してください。",
    "申込書に必要事項を記入し、写しを添付のうえご提出ください。",
    "身分証の写しを添付していただく必要があります。",
    "頂いた添付ファイルを確認しました。",
    "添付ファイルが届いておりません。",
    "添付が漏れているようです。",
    "添付ファイルの容量は10MBまでです。",
    "領収書の添付は不要です。",
    "写真は添付できません。",
    "添付ファイル付きのメールは受け取れません。",
    "資料をお送りください。",
    "貼付の切手をはがす。",
    "明日は10時に集合です。",
    "御社の添付資料について質問があります。",
    "There is no attachment to this mail.",
    "You forgot to attach the file.",
    "I will attach the report later.",
    "Please do not open the attachment of unknown mail.",
    "If you attach a photo, keep it small.",
    "The file you attached cannot be opened.",
    "He is attached to the project.",
)

MISSED = (
    "地図はファイルをご覧ください。",
    "資料を送ります。",
    "PDF（添付）をご確認ください。",
)
"""They speak of one, and are not understood."""

MISTAKEN = (
    "履歴書には写真の添付が必要です。添付の写真は3か月以内のもの。",
    "別紙様式を窓口で受け取ってください。別紙の記入例も窓口にあります。",
)
"""They speak of none, and are taken for such."""

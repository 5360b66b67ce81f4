"""The words that keys are made of: common things and places, known to a child, that cannot be taken for one another.

No two words of a list are one typing error apart (a letter more, less, other or in the wrong order). Japanese words
stand in hiragana, of which only such are used as everybody writes in the same Latin letters: none of し ち つ ふ じ ん,
no small kana and no long vowel, and no word from another language, which some would write as that language does: so a
word heard is a word typed. tests/protect/test_words.py holds the lists to this. Made for this project. A changed list
changes no key that was given out: keys are stored as they are.
"""

from __future__ import annotations

_KANA = (
    "あいうえおかきくけこがぎぐげごさすせそざずぜぞたてとだでどなにぬねの"
    "はひへほばびぶべぼぱぴぷぺぽまみむめもやゆよらりるれろわ"
)
_ROMAN = """
a i u e o ka ki ku ke ko ga gi gu ge go sa su se so za zu ze zo ta te to da de do na ni nu ne no ha hi he ho
ba bi bu be bo pa pi pu pe po ma mi mu me mo ya yu yo ra ri ru re ro wa
"""
_MORAE = dict(zip(_KANA, _ROMAN.split(), strict=True))

_JAPANESE = """
あおな あおもり あかり あきた あけび あさがお あさせ あさひ あさま あさやけ あずき あずまや あそび あなぐま
あなご あひる あまがさ あまざけ あまのがわ あまやどり あみど あみもの あやとり あやめ あられ あわび いかだ
いこい いずみ いとこ いなか いなほ いねかり いもり いるか いろがみ いろは いわて いわな うぐいす うさぎ
うすべに うずまき うなばら うみかぜ うみべ えがお えくぼ えだまめ えのき えのぐ えらび おかず おきなわ
おくら おくりもの おさらい おたま おてだま おどり おにぎり おはぎ おまもり おみやげ おもいで おもて おやこ
おやゆび おりがみ おりひめ かいがら かえで かえる かおあらい かかと かがみ かがやき かがりび かき かぎあな
かぐや かご かささぎ かざぐるま かざみどり かずのこ かぞえうた かたかな かなた かぶと かまきり かまくら
かまど かまぼこ かみなり かめ かもなべ かもめ からくり からす かるた かれは かわ かわうそ かわかみ
かわくだり かわせみ かわら がらがら きたかぜ きなこ きのみ きもの きらめき きりかぶ くさばな くぬぎ くま
くまの くらげ くるみ くろ くろまめ けやき こいぬ こいのぼり こぐま こころ こさぎ こずえ こたえ こだま
ことば ことり ことわざ こなゆき こねこ こはく こめだわら こもりうた こもれび こよみ ごま ごまだれ さくら
さけ ささのは ささぶね さざえ さざなみ さざめき さといも さとやま さむらい さる ざくろ ざわめき すいか すぎ
すごろく すすき すずめ すずり すだれ すな すなはま すなば すべりだい すみれ せせらぎ せなか せみ そと
そよかぜ そらいろ そらまめ たいこ たいやき たか たからぶね たからもの たけうま たけのこ たこあげ たこやき
たそがれ たたみ たて たてやま たなだ たなばた たぬき たねまき たびびと たまご たまごやき たまねぎ たより
たらい たらこ だいず だいどころ だてまき だるま てがみ てぬぐい てぶくろ てまり とかげ ときめき とこのま
となり とのさま とびら とやま とら とろろ どらやき ながさき なぎさ なごみ なごや なす なすの なぞ なぞなぞ
ななくさ なのはな なべ なまえ なみ なみき なみだ なわとび なわばり にぎわい にら にわとり ぬいぐるみ
ぬいもの ぬくもり ぬの ぬりえ ねぎ ねこ ねこやなぎ ねずみ ねもと のどか のばら のり はおり はかま はがき
はくさい はこね はごいた はさみ はたけ はたらき はと はなたば はなび はなびら はなや はまぐり はまべ
はみがき はりがね はりねずみ はるか はるかぜ ばら ひがた ひたい ひだまり ひとざと ひな ひのき ひので ひばり
ひびき ひまわり ひも ひやむぎ ひよどり ひらがな ひらめ ひるね びわ ほたて ほたる ほまれ まいたけ まきもの
まぐろ まこと まごのて まど まないた まねき まねきねこ まぶた ままごと まゆ まわり みさき みず みずあそび
みずいろ みずぐるま みずたま みずな みずまき みそ みぞれ みどり みなそこ みなと みなみかぜ みね みみ
みみずく みやぎ みやこ むぎばたけ むぎわら むささび むすめ むら むらさき むらさと めがね めぐみ めだか
めだまやき めばえ もぐら もずく もなか ものがたり もみのき もも ももいろ もりそば やきそば やきとり やぎ
やくば やぐら やすり やたい やどかり やなぎ やね やま やまいも やまおく やまかぜ やまがた やまごや やまざと
やまと やまなみ やまねこ やまのぼり やまびこ やまぶき やまめ やまもも やもり ゆか ゆかた ゆきかき ゆきぐに
ゆきだるま ゆきどけ ゆきやま ゆず ゆのみ ゆびきり ゆびぬき ゆびわ ゆぶね ゆめ ゆり よあけ よこ よぞら
よもぎ よる らくだ りす わかくさ わかば わかめ わごむ わた わたゆき わに わらび わらべうた
"""

_ENGLISH = """
acorn album almond amber anchor angle antler apple april apron arena arrow artist atlas attic autumn avocado badge bagel
baker ballet balloon bamboo banana banjo barley barrel basil basket beacon beaver bedrock beetle bicycle birch biscuit
bistro blanket blossom bobcat bonfire bonus bottle bracket branch breeze brick bridge bronze brook brother brush bubble
bucket buffalo bumper bundle butter button cabbage cabin cabinet cactus camera canal candle canoe canvas canyon captain
carbon cartoon castle celery cement chalk cherry chicken chimney chorus cinema circle circus citrus cliff cloud clover
coach coast cobalt cobbler coconut coffee collar column comet compass concert cookie copper corner cottage cotton cousin
coyote cradle crane crater crayon creek cricket crocus crown crystal cupcake curtain cushion cyclone dahlia daisy dancer
denim dentist desert detour dial diamond diary dinner doctor dolphin dome domino donkey double drawer dream drizzle
drummer dune eagle early earth easel eclipse editor elbow elder eleven emblem emerald empire engine evening fable fabric
factory falcon family farmer feather fiddle finger flag flame fleet flute foam folder forest fossil friday fringe frost
frozen fruit funnel gadget galaxy gallery garage garden garlic gazelle gentle giant giraffe glacier glider globe golden
goose gopher gorilla granite grape gravel gravy grove guitar hammer hammock hamster harvest hatch hazel hedge helium
helmet herald herb heron hippo hive hockey holiday honey horizon hotel hundred icicle igloo insect iris island ivory
jacket jaguar january jasmine jeans jelly jersey jigsaw journal juggler jungle juniper kayak kennel kettle kitchen
kitten kiwi koala ladder lagoon lamb lantern laptop lark lasso lava leaf legend lemon lens leopard letter lettuce
library lighter lily linen lizard llama lobster locket lotus lunch lynx magnet magpie mailbox mammoth mango maple marble
market marmot mask meadow medley melody mentor menu mermaid milk mineral mint mirror monday morning mosaic moss muffin
museum napkin nature nectar needle nephew nest nickel noodle north novel nutmeg oasis ocean october olive onion opera
orange orbit orchard orchid organ ostrich otter oven owner oxygen oyster paddle padlock pagoda palace palm panda pansy
panther papaya paper parade parcel parka pastel pastry pasture peacock peanut pearl pebble pelican pencil penguin pepper
piano picnic pier pigeon pillow pilot pirate pixel planet plank plaster plate plaza plum poem poetry polar pond popcorn
porch potato pottery powder pretzel printer prism pumpkin puppet purple puzzle python quail quartz quilt quiver rabbit
radar radio radish raft railway raisin raven recipe record reef rhino ribbon rice river robin rodeo roof rooster rubber
ruby sage salad salmon sandal satin saucer scarf scenic school scroll seal season second secret shadow shelf shovel
shrimp shrub silver sister skater sketch sled sloth snail snow soap soccer sofa sonnet spark spiral sponge spoon spring
spruce squid stable stamp statue steam stone storm straw suburb sugar summer sunset surfer sushi swan syrup talent taxi
teapot temple tennis tent ticket tiger tile timber tomato topaz toucan towel trail trout truck tulip tuna turkey turnip
turtle twelve uncle valley vase vault velvet vessel vine violet violin voyage waffle wagon walnut walrus waltz water
wharf wheat wheel wicker window winter wolf wombat wonder wool yacht yarn yellow zebra zipper
"""

JAPANESE = tuple(_JAPANESE.split())
ENGLISH = tuple(_ENGLISH.split())


def romanised(word: str) -> str:
    """Write a word of the Japanese list in Latin letters; raises KeyError at kana that people write in two ways."""
    return "".join(_MORAE[each] for each in word)


BY_ROMAN = {romanised(word): word for word in JAPANESE}
"""The Japanese list by what is typed."""

"""Where anybody can have an address: free mail, mobile carriers and internet providers, each told from the others.

A shipped list of what people in Japan write to. A carrier's address belongs to a person with a contract, a free one to
whoever clicked; an organisation's own domain is none of them. The list is for asking and for comparing (look_alike.py):
being on it is no judgement.
"""

from __future__ import annotations

from typing import Literal

Provider = Literal["free", "carrier", "isp"]

_FREE = """
gmail.com googlemail.com yahoo.co.jp ymail.ne.jp yahoo.com ymail.com rocketmail.com hotmail.com hotmail.co.jp hotmail.jp
outlook.com outlook.jp live.jp live.com msn.com icloud.com me.com mac.com aol.com aol.jp excite.co.jp infoseek.jp
rakuten.jp goo.jp mail.goo.ne.jp livedoor.com zoho.com zohomail.com gmx.com gmx.net gmx.de web.de mail.com email.com mail.ru
yandex.ru yandex.com proton.me protonmail.com pm.me tutanota.com tuta.io fastmail.com fastmail.jp hushmail.com
qq.com 163.com 126.com sina.com naver.com daum.net hanmail.net nate.com yahoo.co.uk yahoo.com.tw yahoo.com.hk
hotmail.co.uk hotmail.fr inbox.com hey.com duck.com
"""
_CARRIER = """
docomo.ne.jp softbank.ne.jp i.softbank.jp ezweb.ne.jp au.com uqmobile.jp ymobile.ne.jp y-mobile.ne.jp ymobile1.ne.jp
emobile.ne.jp willcom.com wm.pdx.ne.jp pdx.ne.jp disney.ne.jp disneymobile.ne.jp vodafone.ne.jp
jp-t.ne.jp jp-d.ne.jp jp-h.ne.jp jp-c.ne.jp jp-r.ne.jp jp-k.ne.jp jp-n.ne.jp jp-s.ne.jp jp-q.ne.jp
t.vodafone.ne.jp d.vodafone.ne.jp h.vodafone.ne.jp c.vodafone.ne.jp r.vodafone.ne.jp k.vodafone.ne.jp
n.vodafone.ne.jp s.vodafone.ne.jp q.vodafone.ne.jp rakumail.jp mineo.jp
"""
_ISP = """
nifty.com nifty.ne.jp biglobe.ne.jp so-net.ne.jp ocn.ne.jp plala.or.jp dion.ne.jp auone-net.jp odn.ne.jp odn.ad.jp
asahi-net.or.jp hi-ho.ne.jp dti.ne.jp dream.jp wakwak.com jcom.home.ne.jp jcom.zaq.ne.jp zaq.ne.jp eonet.ne.jp
commufa.jp sannet.ne.jp bbexcite.jp bekkoame.ne.jp interq.or.jp infoweb.ne.jp mesh.ne.jp tcn-catv.ne.jp catvnet.ne.jp
itscom.net catv.ne.jp cableone.ne.jp ctk.ne.jp enjoy.ne.jp megaegg.ne.jp pikara.ne.jp qtnet.ne.jp bbiq.jp
tokai.or.jp thn.ne.jp wind.ne.jp ybb.ne.jp nttpc.ne.jp alles.or.jp rim.or.jp
"""
PROVIDERS: dict[str, Provider] = {
    **dict.fromkeys(_FREE.split(), "free"),
    **dict.fromkeys(_CARRIER.split(), "carrier"),
    **dict.fromkeys(_ISP.split(), "isp"),
}
"""Every domain of the shipped list, and what it is."""


def provider(domain: str) -> Provider | None:
    """Return what kind of provider a normalised domain, or one above it, belongs to; None for everybody else's.

    Internet providers give each customer a domain of their own below theirs: `x.ocn.ne.jp`.
    """
    while domain:
        kind = PROVIDERS.get(domain)
        if kind is not None:
            return kind
        domain = domain.partition(".")[2]
    return None

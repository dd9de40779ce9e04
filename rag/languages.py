"""Languages: any way a page or a record names its language, as an ISO 639 code."""

from __future__ import annotations

import re

TAG = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]{1,8})*(?:[.@].*)?", re.IGNORECASE)

ISO_639_1 = frozenset(
    """aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo
    es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg
    ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn
    no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss st su sv sw
    ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu""".split()  # noqa: SIM905
)
NO_LANGUAGE = frozenset({"mis", "mul", "und", "zxx"})
# Codes that were withdrawn, and those of three letters that archives use for languages with one of two.
OTHERS = dict(
    pair.split("=")
    for pair in """in=id iw=he ji=yi jw=jv mo=ro ara=ar ben=bn bul=bg cat=ca ces=cs chi=zh cze=cs dan=da deu=de
    dut=nl ell=el eng=en fas=fa fin=fi fra=fr fre=fr ger=de gre=el heb=he hin=hi hrv=hr hun=hu ind=id ita=it jpn=ja
    kor=ko nld=nl nor=no per=fa pol=pl por=pt ron=ro rum=ro rus=ru slk=sk slo=sk spa=es srp=sr swe=sv tha=th tur=tr
    ukr=uk urd=ur vie=vi zho=zh""".split()  # noqa: SIM905
)


def iso_language(written: str) -> str:
    """Give "en" for "en-US", "EN_gb" or "eng"; what names no language is empty."""
    tag = TAG.fullmatch(written.strip())
    code = tag[1].lower() if tag else ""
    code = OTHERS.get(code, code)
    return code if code in ISO_639_1 or (len(code) == 3 and code not in NO_LANGUAGE) else ""

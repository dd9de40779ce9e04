"""The words by which we tell who says what in a text: verbs of saying, and what stands beside them."""

from __future__ import annotations


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _forms(verbs: str) -> frozenset[str]:
    """Give the forms of regular verbs."""
    return frozenset(form for verb in verbs.split() for form in (verb, *_inflected(verb)))


def _inflected(verb: str) -> tuple[str, str, str]:
    if verb.endswith("e"):
        return f"{verb}s", f"{verb}d", f"{verb[:-1]}ing"
    if verb.endswith("y") and verb[-2] not in "aeo":
        return f"{verb[:-1]}ies", f"{verb[:-1]}ied", f"{verb}ing"
    stem = verb + verb[-1] if verb in _DOUBLING else verb
    return verb + ("es" if verb.endswith(("s", "sh", "ch")) else "s"), f"{stem}ed", f"{stem}ing"


_DOUBLING = _set("admit quip snap")
_SAY = """
    accuse acknowledge add admit advise agree allege announce answer argue ask assert assure attack believe blast
    boast call caution charge cite claim clarify comment complain concede conclude confess confirm contend continue
    counter criticize criticise declare demand deny describe disclose dismiss doubt dub emphasize emphasise estimate
    exclaim explain express fear find guess hint hope imply indicate inform inquire insinuate insist interject joke
    label lament learn maintain mention mock muse note observe opine pledge point posit praise predict proclaim
    promise propose question quip quote reaffirm realize realise reason recall recommend recount reflect reiterate
    remark remind repeat reply report respond retort reveal shout show signal slam speculate stress suggest suspect
    testify theorize tweet urge vow warn wonder worry yell
"""
_SAY_WITH_QUOTATION = """
    acclaim admonish advocate allow apologize applaud assail bark bash begin bellow bemoan berate beg beseech blame
    blog caption chant characterize chide chime cheer chuckle compare condemn confide congratulate credit cry deadpan
    decry deem defend denounce deride echo email embrace endorse exhort fret fume greet groan growl grumble gush hail
    hammer hiss holler implore interrupt invoke knock lambaste laugh liken message moan mouth murmur mutter name
    narrate paint plead portray post pronounce rail rant rebuke refer rejoin relate retell retweet ridicule rip roar
    scold scream sign sigh skewer smile snap sneer taunt term text thank thunder title tout venture vent volunteer
    whisper
"""
_IRREGULAR_BASES = "say tell write think feel know swear read"
_IRREGULAR = f"""{_IRREGULAR_BASES} says said saying tells told telling writes wrote written writing thinks thought
thinking feels felt knows knew swore reads found stated stating foresaw"""

CUES = _forms(_SAY) | _set(_IRREGULAR)
QUOTING_CUES = CUES | _forms(_SAY_WITH_QUOTATION) | _set("began wept")
BASES = _set(f"{_SAY} {_SAY_WITH_QUOTATION} {_IRREGULAR_BASES}")
# Verbs that report only before "that", or beside a quotation: "she continues her campaign".
OFTEN_OTHERWISE = _forms(
    """attack charge comment continue find learn maintain mention pledge point question quote reason reflect repeat
    reply respond show"""
) | _set("found read reads feel feels felt know knows knew")
# Forms that are as often nouns or adjectives.
NOUNS = _set(
    """answers attacks calls charges claims comments demands doubts estimates fears feels finding findings following
    guesses hints hopes jokes labels learning meaning mentions names notes points pledges posts promises questions
    quotes reading reads reasons remarks replies reports saying shouts showing shows signals signs texts thinking
    thought titles tweets understanding voices vows warning warnings worries writing"""
)
BE = _set("is are was were be been being get gets got")
AUXILIARIES = BE | _set(
    """has have had having do does did will would can could may might must shall should not ’ve won’t didn’t doesn’t
    don’t hasn’t wasn’t isn’t wouldn’t can’t cannot couldn’t"""
)
ADVERBS = _set(
    """almost also then later again even just once only now still already first never often ever always soon too
    twice instead thus further sometimes simply though however meanwhile famously back since himself herself
    themselves yesterday today monday tuesday wednesday thursday friday saturday sunday"""
)
PRONOUNS = _set("he she they it i we you who one")
SPEAKING_PRONOUNS = _set("he she they i we")
QUANTIFIERS = _set(
    """some many others most several both all few none another everyone everybody nobody someone somebody anyone
    these those two three four five half this"""
)
PLURALS = PRONOUNS | QUANTIFIERS | _set("people voters men women police officials and to")
_SUBORDINATORS = _set(
    """that when while as because if what how where why which whether than although though since until before after
    but or nor so unless once"""
)
MAY_SPEAK = PLURALS | _set("this that")
STOPS = _SUBORDINATORS | AUXILIARIES | _set("i he she they we you him them us me")
PREPOSITIONS = _set(
    """in on at after before during when while as for with since by under from about to of into outside inside across
    near around over through against without within despite amid alongside upon like among between following via
    throughout until till according because if although though unless once where whereas speaking responding asked
    pressed told"""
)
OPENERS = _set(
    """and but yet still so meanwhile however then also nor or indeed thus instead later earlier today yesterday
    tonight here there even now first finally again hence moreover monday tuesday wednesday thursday friday
    saturday sunday"""
)
DETERMINERS = _set(
    """the a an this that these those his her their its my our your some many most several all both another other one
    two three four five six seven eight nine ten no every each any few more"""
)
ROLES = _set(
    """activist actor actress adviser advisers advisor advisors aide aides ambassador analyst analysts attorney
    author billionaire brother businessman campaign candidate candidates chair chairman chairwoman chief
    co-founder columnist comedian commentator communications congressional congressman congresswoman conservative
    conservatives critic critics daughter democrat democratic democrats deputy director doctor doctors economist
    economists editor ex-president executive expert experts father federal fellow former founder front-runner
    frontrunner governor historian host husband investigators journalist judge justice lawmakers lawyer lawyers
    leader leaders local longtime manager mayor minister mother national nominee officer official officials
    organizer owner pastor people police pollster president presidential press professor prosecutors reporter
    representative republican republicans researcher researchers resident residents retired reverend rival rivals
    scientist scientists secretary senator senior singer sister son source sources spokesman spokesperson
    spokeswoman state strategist strategists student students supporter supporters teacher teachers then-president
    top veteran vice voter voters wife writer"""
)
TITLES = _set(
    """mr mrs ms miss dr sen rep gov gen lt col sgt capt maj prof rev hon pres sir dame lord lady president senator
    governor secretary representative congressman congresswoman mayor judge justice minister chancellor premier
    ambassador professor general colonel captain sergeant pope king queen prince princess sheikh ayatollah"""
)
ABBREVIATIONS = _set(
    """Mr Mrs Ms Dr Sen Sens Rep Reps Gov Govs Gen Lt Col Sgt Capt Maj Prof Rev Hon St Jr Sr Pres Messrs Jan Feb Aug
    Sept Oct Nov Dec No vs Inc Corp Co Ft"""
)
DAYS = _set(
    """monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
    september october november december jan. feb. aug. sept. oct. nov. dec."""
)
TIMES = _set("ago morning night week month year evening afternoon later earlier day time")
PARTICLES = _set("of the de la le van von der den al bin ibn da di du for y del dos el and at")
# Where the mention of a speaker behind a verb ends: "said Roe on Monday".
CIRCUMSTANCES = (
    _set(
        """in on at during after before when while as to about via through where last this that with because if since
        and but by adding saying noting referring speaking writing into over upon amid following despite once
        until between then again regarding outside inside without against is was are were has had have will would
        from earlier later recently today yesterday tonight"""
    )
    | DAYS
)
WITHIN_ROLE = _set("in at from on with about")  # "a voter in Ohio"
# What may follow "Roe said" where that stands behind what was said.
AFTERTHOUGHTS = (
    _set(
        """in on at during of to after before when while as about via through with from for yesterday today last this
        by earlier later recently again and but into over"""
    )
    | DAYS
)
# "Roe was asked": the subject does not speak.
PASSIVE_CUES = _set("asked told warned called described accused pressed")
PHRASAL = {"put": "it", "puts": "it", "went": "on", "goes": "on"}
# "in the words of Roe"
VIEWS = _set("words view opinion telling")
TELLING = _set("tell tells told telling")
ENDED_IRREGULARLY = _set("gave made came went took got sent began led ran put set kept left let held brought")

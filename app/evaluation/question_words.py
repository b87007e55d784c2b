"""Closed lists of English words that tell a sentence's grammar where no parser is at hand."""

from __future__ import annotations

__all__ = ["ALSO_NOUNS", "AUXILIARIES", "DEEDS", "FILLERS", "FUNCTION_WORDS", "INSTRUCTS", "VERBS"]

_DEEDS = (
    "add apply avoid build calculate change check choose clean collect combine compare compute "
    "configure connect convert create debug define deploy design detect download draw estimate "
    "evaluate export extract feed find fine-tune fix free get handle implement improve increase "
    "initialise initialize install interpret keep label load make measure merge organise organize "
    "pick plan plot prepare prevent print put read recognise recognize record reduce remove "
    "replace resize run save select set show solve split start stop store test train tune turn "
    "update use verify visualise visualize write"
)
_ALSO_NOUNS = (
    "change check cut design display estimate export feed increase label load measure plan plot "
    "print record run set show start stop store test train update use"
)
_INSTRUCTS = (
    "add adjust apply avoid build call check choose close combine compute consider convert copy "
    "create cut decrease define delete divide do don't drop feed find follow freeze get give go "
    "increase keep leave let load look lower make mix move multiply never open pass pick plot "
    "predict prefer press put raise read reduce remove repeat replace resize run save scale "
    "select set show skip split start stop subtract take train try turn update use wait watch "
    "write"
)
_AUXILIARIES = "are can could do does has have is may might must should was were will would"
_FUNCTION_WORDS = (
    "a about all also an and any anything are as at be been bit both but by can do does each "
    "every for from had has have how i if in into is it like lot many may me more most much must "
    "my not nothing of off on only or out over should something than the then there thing things "
    "to told too under up was we well what when which who will with without would you"
)
_VERBS = (
    "adapts adds adjusts aims allows applies approximates assigns assumes averages avoids "
    "balances begins blends breaks brings builds calculates captures carries catches causes "
    "changes checks chooses cleans collects combines compares completes compresses computes "
    "connects consists contains contributes controls converts copies corrects counts covers "
    "creates cuts deals decides decreases defines delays depends describes determines divides "
    "drops encodes encourages ends ensures estimates evaluates explains exploits extends extracts "
    "feeds fills filters finds fits flattens follows forces forgets generates gives grows guards "
    "handles helps hides holds ignores improves includes increases inserts interprets introduces "
    "keeps labels learns lets limits links lists loads looks lowers maintains makes maps marks "
    "matches maximises maximizes measures merges minimises minimizes mixes models moves "
    "multiplies needs normalises normalizes opens optimises optimizes outputs penalises penalizes "
    "performs points predicts preserves prevents produces protects provides pulls pushes puts "
    "raises ranks reaches reads recommends records reduces relates reminds removes repeats "
    "replaces represents requires returns reveals reverses rises runs saves says scales scores "
    "searches selects sends separates serves sets shifts shortens shows shrinks shuffles "
    "simulates skips slows smooths solves speeds splits squashes squeezes stacks starts stays "
    "stops stores stretches subtracts suggests sums supports swaps takes teaches tells tends "
    "tests trains transforms translates treats tries turns updates uses wants works wraps writes"
)
_FILLERS = (
    "again although always another anything around become becomes beside better big call called "
    "case come comes common different either else enough even everything everywhere example far "
    "few find five four full fully further goes good great however instead kind kinds known later "
    "least less little long look makes making maybe means method mostly name near nearly never "
    "new next number others people perhaps place possible put rather right second see seem seems "
    "several since small something sometimes soon still take takes think third though thought "
    "three time times today together type upon various way ways whatever whether word words work "
    "works year yes yet yourself"
)
DEEDS = frozenset(_DEEDS.split())  # with which a heading says what is done: "Clean the data"
ALSO_NOUNS = frozenset(_ALSO_NOUNS.split())  # of those, what is a noun as often: "test set"
INSTRUCTS = frozenset(_INSTRUCTS.split())  # with which an instruction opens
AUXILIARIES = frozenset(_AUXILIARIES.split())
FILLERS = frozenset(_FILLERS.split())  # which nobody would search for
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())  # which carry no meaning of their own
VERBS = frozenset(_VERBS.split())  # in the third person

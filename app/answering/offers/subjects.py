"""What each recipe is about, and whether a question wishes for it: to have it found, to know what
it is, or neither.

A wish is told by the words around the recipe's subject ("the largest …", "how do I choose the …"),
not by the subject alone: who asks why learning rates decay, or how a batch is saved, wants no run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from executors.recipe import Recipe

__all__ = ["ABOUT", "DEFINES", "Subject", "subject_of", "vetoed", "wish"]

WISHED, JUDGED, FRAGMENT, ABOUT, DEFINES = 0.9, 0.8, 0.75, 0.55, 0.6
MINE = 0.05  # more when the question speaks of the asker's own model, data or card


@dataclass(frozen=True, slots=True)
class Subject:
    """The words by which a question speaks of a recipe.

    Parameters
    ----------
    named : pattern
        Names of what the recipe finds or does.
    wished : pattern or None
        The problem that it solves, said without its name.
    judged : bool
        Whether a run answers "is it worth it on my data?".
    weight : float
        Below 1 for subjects that are often only the circumstances of another question.
    defined : pattern or None
        Of the names, those whose definition brings the recipe; None: all.
    """

    named: re.Pattern[str]
    wished: re.Pattern[str] | None = None
    judged: bool = False
    weight: float = 1.0
    defined: re.Pattern[str] | None = None


def _of(
    named: str, wished: str = "", judged: bool = False, weight: float = 1.0, defined: str = ""
) -> Subject:
    return Subject(
        re.compile(rf"\b(?:{named})\b"),
        re.compile(wished) if wished else None,
        judged,
        weight,
        re.compile(defined) if defined else None,
    )


_ITEMS = r"(?:images|pictures|photos|samples|items|rows|texts|sentences|examples|crops|records)"
_MEMORY = r"(?:memory|vram|ram|gpu|card|gpus|gb)"
_SUBJECTS = {
    "batch-size": _of(
        r"(?:mini-?)?batch ?-?sizes?|bs|(?<=what )batch(?= (?:do|should|can|would) )"
        r"|(?:largest|biggest|maximum|max|how (?:big|large) (?:\w+ ){0,2}(?:an?|the)) batch(?! ?-?siz)",
        r"\bout ?of ?(?:\w+ )?(?:memory|vram|ram)(?:error)?\b|\boom\b"
        rf"|\bhow many (?:\w+ )?{_ITEMS}\b.*\b(?:batch|at once|at a time|(?:per|one|a|each) step|in one go|fit)\b"
        rf"|\bfits?\b (?:in|on|into|onto|inside|within)\b.*\b{_MEMORY}\b"
        rf"|\btoo (?:big|large|much) for\b.*\b{_MEMORY}\b",
    ),
    "lr-find": _of(
        r"(?:max(?:imum)? )?learning ?-?rat(?:es?)?(?: find(?:er|ing))?|lrs?(?:[_ ]?find(?:er)?)?"
        r"|lr_max|max_lr|step size"
    ),
    "mixed-precision": _of(
        r"(?:mixed|half) ?-?precision|(?:b?float|fp|bf) ?-?16|to_[fb][pf]16|16 ?-?bits?|amp",
        judged=True,
        weight=0.95,
    ),
    "progressive-resizing": _of(
        r"progressive(?:ly)? (?:image )?resiz\w+|resiz\w+ progressively",
        r"\b(?:small|smaller|low-?res\w*|tiny) (?:images|pictures|photos|sizes?|ones)\b.*"
        r"\b(?:larger|bigger|large|big|full|high)\b"
        r"|\b\d{2,4} ?(?:px|pixels?)?,?(?: first)?,? (?:and )?(?:then|before|after that|up to|followed by) "
        r"(?:at |on )?\d{2,4}\b"
        r"|\b\d{2,4} ?(?:px|pixels?)\b.*\b(?:finish|end|then|up to|followed by)\b.*\b\d{2,4} ?(?:px|pixels?)\b",
        judged=True,
        weight=0.9,
    ),
    "clean-data": _of(
        r"(?:data|dataset|label) ?-?cleaning|clean(?:ing)? (?:up )?(?:the |my |our |your )?(?:\w+ )?"
        rf"(?:data|dataset|labels|{_ITEMS})|top ?-?losses|noisy labels|label (?:noise|errors?)",
        r"\bmis-?label\w*|\bwrong(?:ly)? label|\blabels?\b.*\b(?:wrong|incorrect|noisy|mistaken)\b"
        rf"|\b(?:highest|largest|biggest|worst) loss(?:es)?\b|\b(?:bad|suspicious|faulty) (?:labels|{_ITEMS})\b",
        judged=True,
    ),
    "init-check": _of(
        r"(?:weight )?initiali[sz]ations?|initiali[sz](?:e|ed|ing)|kaiming(?: init)?|xavier(?: init)?|glorot|lsuv|init",
        r"\bactivations?\b.*\b(?:vanish\w*|explod\w*|means?|deviations?|std|dead|die|saturat\w*|zeros?)\b"
        r"|\b(?:dead|dying) (?:relus?|units|activations|neurons|layers)\b",
        judged=True,
    ),
    "regularise": _of(
        r"weight ?-?decay|wd|drop-?out|mix-?up|label smoothing|regulari[sz]\w+",
        r"\b(?:reduce|fight|avoid|prevent|stop|cure|against|about)\b.*\boverfit\w*",
        judged=True,
        weight=0.95,
        defined=r"regulari[sz]ation",
    ),
    "free-memory": _of(
        r"(?:free|release|clear|empty|flush|reclaim)(?:ing)? (?:up )?(?:the |my |all )?"
        r"(?:gpu |cuda |card |video |unused )*(?:memory|vram|cache)|memory leaks?|empty_cache",
        r"\b(?:memory|vram)\b.*\b(?:not|never|still|isn't|doesn't)\b.*"
        r"\b(?:free|freed|released|full|held|used|occupied|in use)\b"
        r"|\bstill (?:holds?|takes?|occup\w+|uses?|hogs?)\b.*\b(?:gb|memory|vram|card|gpu)\b"
        r"|\bwhat(?: else| is|'s)? (?:hold|us|tak|eat|occupy|fill|hogg)\w+\b.*\b(?:memory|vram|card|gpu)\b",
    ),
    "training-flow": _of(
        r"fine[ -]?tun(?:e|ing)|transfer learning|(?:training|whole) (?:flow|procedure|process|routine)",
        r"(?:^|\bplease |\bhelp me |\bhow (?:to|(?:do|can|should|could|would) i) |\b(?:want|like) to |\byou |[.:;] ?)"
        r"(?:re-?)?train (?:up )?(?:an?|my|the|our|\w+net[ -]?\d*) ?.*\b(?:models?|networks?|net|classifier|learner|"
        r"\w*resnet\w*|gans?|u-?net|photos|images|pictures|data|dataset|folder|csv|ratings|texts)\b"
        r"|\boverfit\w* or (?:\w+ )?underfit\w*|\bunderfit\w* or (?:\w+ )?overfit\w*"
        r"|\bfrom (?:start|beginning) to (?:finish|end)\b",
        weight=0.8,
    ),
}
_ADJECTIVE = (
    r"(?:best|right|good|better|optimal|ideal|proper|correct|largest|biggest|highest|lowest|smallest|max|maximum|"
    r"maximal|suitable|recommended|safe|sensible|reasonable|decent)"
)
_BETWEEN = r"(?:(?!for|with|on|of|in|to|and|or|at|when|after|before|is|are|does|should)\w+ ){0,2}"
_VERBS = (
    r"(?:find|choose|pick|select|determine|tune|set|get|use|take|estimate|measure|calculate|compute|work out|decide|"
    r"figure out|decide on|test|check|try|run|read|apply|do|spot|detect|look for|clean|free|release|clear|empty|"
    r"reclaim|train|know|tell)"
)
_IMPERATIVE = (
    rf"(?:find|choose|pick|select|determine|tune|suggest|recommend|estimate|measure|calculate|compute|run|start|"
    rf"launch|check|test|try|get|look|train|clean|free|release|clear|empty|tell me|give me|show me|help me|walk|"
    rf"let's|do|use|i (?:want|need|would like|d like)|please {_VERBS})"
)
_SIZED = r"how (?:large|big|high|low|small|much|many|strong|far|fast|faster)"
# "§" stands where the subject was named.
_WISHES = re.compile(
    rf"\b(?:which|what|whats) (?:kind of )?(?:{_ADJECTIVE} )*§"
    rf"|\b{_ADJECTIVE} {_BETWEEN}§"
    r"|\bwhat (?:should|would|could|must|can|shall) (?:i |we )?(?:\w+ )?(?:the |my |an? |our )?(?:\w+ )?§"
    rf"|^(?:can|could|would) you {_IMPERATIVE}\b.*§"
    rf"|(?:^|[.:;!,] ?)(?:please )?(?:{_IMPERATIVE}\b.*)?§ (?:an?|my|our|the) "
    rf"|(?:^|[.:;!,] ?){_IMPERATIVE}\b.*§"
    rf"|\bhow (?:do|can|should|could|to|would|might|shall)(?: i| we| you| one)? (?:{_VERBS}\b.*)?§|\b{_SIZED}\b.*§"
)
_DEFINING = re.compile(
    r"^(?:what(?: is|'s|s| are| does)|define|explain|describe|definition of|meaning of|tell me about|tell me what)\b"
)
_FRAGMENT = re.compile(rf"^(?:the |an? |my )?(?:{_ADJECTIVE} )*§")
_ASKED = r"(?:is|are|does|do|would|will|should|can|could)"
_YES_NO = re.compile(rf"\b(?:{_ASKED[3:-1]}|may|did|whether|if)\b(?: \w+){{0,3}} §|^{_ASKED}\b")
_OWN = re.compile(r"\b(?:my|our|mine|me|i|we|this (?:machine|card|gpu|laptop|computer|data\w*))\b")
_OWN_THINGS = re.compile(
    r"\b(?:my|our|mine|this) (?:\w+ ){0,2}\w+|\bthe (?:card|gpu|machine)\b"
    r"|\b(?:should|would|can|could|do|if) (?:i|we)\b"
)
_PROBLEM = re.compile(
    rf"error|^(?:will|would|does|do|can|could)\b.*\bfit\b|\b(?:which|{_SIZED}|largest|biggest|{_IMPERATIVE})\b"
    r"|\bwhat (?:hold|us|tak|eat|occup|fill|else|is (?:us|hold|tak))|^out of|out of memory$"
)
_VETO = re.compile(
    r"\b(?:why|who|whose|whom|where|when (?:was|were|did)|since when|how long|how often|how come)\b"
    r"|\b(?:histor\w+|invent\w*|introduced|proposed|authors?|papers?|came up|comes? from|wrote|write|originat\w*|"
    r"named after|stands? for|called)\b"
    r"|\b(?:differences?|differ\w*|versus|vs|relations?|relationship|related|relates?|compared|correlat\w*)\b"
    r"|^(?:please )?(?:compare|list|name|enumerate|define three)\b"
    r"|\b(?:save (?:an?|the|my|it|weights|this|its)|load(?:s|ed|ing)?|export\w*|print|log|logging|plot|draw|import|"
    r"visuali[sz]\w+|callbacks?|serve|deploy\w*|implement\w*|install\w*|from scratch in (?:numpy|python))\b"
    r"|\b(?:schedul\w+|warm-?ups?|warming up|cosine|anneal\w*|cyclic\w*|restarts?)\b"
    r"|\b(?:formulas?|equations?|derive\w*|derivation|proofs?|prove|videos?|lectures?|chapters?|blogs?|book)\b"
    r"|\b(?:prerequisit\w*|(?:need|have|want) to (?:know|learn|read)|learn (?:first|before|next))\b"
    r"|\bcomes? (?:after|before|first)\b|\bwhat happens\b|\bpower of (?:two|2)\b|\beffects? of\b|\bdefault\b"
    r"|\bwhat (?:does|do|did) (?!i\b|we\b|it take)(?:\w+ ){1,4}(?:do|mean|say|write|change|measure)\b"
    r"|\bin (?:pytorch|keras|tensorflow|numpy|python|jax)\b|\bof (?:one|a single|each|every) (?:layer|group|parameter)"
    r"|\bhow (?:does|is|are|did|was|do (?!i\b|we\b|you\b))\b"
    r"|\b(?:students?|pupils?|child(?:ren)?|kids?|humans?|people|baby|dogs?|dough|kafka|sql|interest rate)\b"
)
# What else a question may ask for, with a recipe's subject only beside it: "how many epochs with a
# learning rate of …?"
_FOREIGN = re.compile(
    r"\b(?:how many|how much|which|what|what kind of|best|number of) (?:\w+ )?(?:epochs|layers?|neurons|units|classes|"
    r"parameters|workers|bits|optimi[sz]ers?|loss(?: function)?|metrics?|architectures?|backbones?|frameworks?|library|"
    r"gpus?|laptop|graphics card|threshold|momentum|seed|validation|augmentations?|activation function|time)\b"
)
_NOT_IT = re.compile(
    r"\bbatch(?:es)?[ -]?norm\w*|\bbatch gradient\w*|\blearning curves?\b"
    r"|\b(?:discriminative )?learning rates? (?:decay|policy)\b"
)
# Words that may stand beside a wish. Others say that it is about something else: a git repository,
# a drive.
_BESIDE = frozenset(
    re.findall(
        r"[\w-]+",
        "accuracy activation adam adamw again architecture augmentation backbone batch before best body both card "
        "class classes classification classifier colab convergence cuda curve deep diverge diverges encoder end "
        "error everything explode explodes fast faster few fine first fit_one_cycle fitting folder free gain "
        "generalise gradient gradients graph head help helps high higher holds kaggle label labels large larger "
        "last later layer layers loss losses low lower memory metric momentum nan new now often ok once optimiser "
        "optimizer overfit overfits overfitting own pay pays pretrained quick ram released result runtimeerror save "
        "saves score sgd shrink size sizes slice slow slower small smaller speed stable start step steps still "
        "switch target text texts time torch training tuning underfitting unstable up validation vanish version "
        "vram weights well whether work works worth wrong xresnet",
    )
)
UNKNOWN, UNKNOWN_OF_MINE = 0.45, 0.25  # less sure for every word beside it that is none of these


def subject_of(recipe: Recipe) -> Subject:
    """The words for a recipe; of one that does not come with Gradus, those that it names as its
    concepts.
    """
    known = _SUBJECTS.get(recipe.name)
    if known is not None:
        return known
    names = [
        r"\W+".join(re.escape(w) for w in name.lower().split())
        for name in recipe.concepts
        if name.strip()
    ]
    return _of("|".join(names) or r"(?!)", judged=True, weight=0.95)


def vetoed(asked: str) -> bool:
    """Whether a question, in lower case, wants something that no recipe gives: history, reasons,
    code, comparison.
    """
    return bool(_VETO.search(asked) or _FOREIGN.search(asked))


def wish(asked: str, subject: Subject, rest: frozenset[str]) -> float:
    """How sure it is that a question, in lower case, wishes for a recipe, from 0 (not at all) to 1.

    Parameters
    ----------
    rest : frozenset of str
        The question's words that say something beside the subject, the form of asking and
        parameters.
    """
    mine = MINE if _OWN.search(asked) else 0.0
    defining = bool(_DEFINING.match(asked))
    said = _NOT_IT.sub("", asked)
    marked = " ".join(subject.named.sub(" § ", said).split())
    sure = 0.0
    if "§" in marked:
        strange = len(rest - _BESIDE) * (UNKNOWN_OF_MINE if _OWN_THINGS.search(asked) else UNKNOWN)
        if _WISHES.search(marked):
            sure = WISHED + mine - strange
        elif subject.judged and _YES_NO.search(marked) and _OWN_THINGS.search(asked):
            sure = JUDGED + mine - strange
        elif defining and (
            (not rest and _defines(subject, said)) or (mine and subject.weight == 1)
        ):
            sure = DEFINES
        elif not rest and not _FRAGMENT.sub("", marked).strip(" ?.!"):
            sure = FRAGMENT if _defines(subject, said) else 0.0
        elif not defining and _FRAGMENT.match(marked) and (rest <= _BESIDE or mine):
            sure = FRAGMENT
    if (
        subject.wished is not None
        and subject.wished.search(said)
        and not (defining and not _OWN.search(asked))
    ):
        solved = bool(mine) or bool(_PROBLEM.search(asked))
        sure = max(sure, WISHED + mine if solved else 0.0)
    return max(0.0, min(1.0, sure * subject.weight))


def _defines(subject: Subject, asked: str) -> bool:
    """Whether a definition of what is asked for brings the recipe."""
    return subject.defined is None or bool(subject.defined.search(asked))

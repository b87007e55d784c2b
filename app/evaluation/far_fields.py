"""Questions from many fields, to measure refusal on notes that do not hold their words.

Each names the words that make it answerable; notes that hold any of them may answer it, and are not
asked.
"""

from __future__ import annotations

__all__ = ["FAR_QUESTIONS"]

# (question, words or phrases none of which the notes may hold)
FAR_QUESTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    # kitchen and garden
    ("How long do I boil an egg until it is soft?", ("egg",)),
    ("which rice is best for risotto", ("risotto",)),
    ("How do I keep pesto from turning brown?", ("pesto",)),
    ("When should I prune an apple tree?", ("prune apple", "orchard", "apple tree")),
    ("how often do I water a cactus", ("cactus",)),
    ("What soil do blueberries like?", ("blueberry", "blueberries")),
    # body and health
    ("How much sleep does a teenager need?", ("teenager",)),
    ("which vitamin is in carrots", ("vitamin", "carrot")),
    ("How do I treat a sprained ankle?", ("ankle", "sprain")),
    ("What is the difference between a virus and a bacterium?", ("bacterium", "bacteria")),
    ("normal blood pressure of an adult", ("blood pressure",)),
    # law, money and offices
    ("How do I contest a parking fine?", ("parking",)),
    ("What is a fixed-rate mortgage?", ("mortgage",)),
    ("how long is a patent valid", ("patent",)),
    ("Which documents do I need to renew a passport?", ("passport",)),
    ("What does inflation do to savings?", ("inflation", "savings")),
    ("how are dividends taxed", ("dividend",)),
    # history and geography
    ("When did the Roman Empire fall?", ("roman empire",)),
    ("who signed the Magna Carta", ("magna carta",)),
    ("What is the capital of Mongolia?", ("mongolia",)),
    ("Which rivers flow into the Black Sea?", ("black sea",)),
    ("Why was the Suez Canal built?", ("suez",)),
    ("how high is Kilimanjaro", ("kilimanjaro",)),
    # sport and games
    ("How many players does a volleyball team have?", ("volleyball",)),
    ("what is the offside rule", ("offside",)),
    ("How does the Sicilian Defence begin?", ("sicilian",)),
    ("Who holds the marathon record?", ("marathon",)),
    # music, arts and languages
    ("How do I tune a ukulele?", ("ukulele",)),
    ("what is a fugue", ("fugue",)),
    ("Which pigments make ultramarine?", ("ultramarine", "pigment")),
    ("When do I use the subjunctive in Spanish?", ("subjunctive",)),
    ("How is a sonnet built?", ("sonnet",)),
    ("what does bokeh mean in photography", ("bokeh",)),
    # house, travel and crafts
    ("How do I unclog a kitchen sink?", ("unclog", "kitchen sink")),
    ("which screws do I need for plasterboard", ("plasterboard",)),
    ("How do I patch a bicycle tube?", ("bicycle",)),
    ("What does a knitting pattern mean by purl?", ("knitting", "purl")),
    ("how much luggage may I take on a plane", ("luggage",)),
    ("How do I descale an espresso machine?", ("espresso", "descale")),
    # earth, sky and life
    ("Why is the sky blue at noon and red in the evening?", ("noon", "sunset")),
    ("How far away is Proxima Centauri?", ("proxima",)),
    ("what causes an earthquake", ("earthquake",)),
    ("How do bees find their way home?", ("bees", "hive")),
    ("Which whales sing?", ("whale",)),
    ("what do tectonic plates float on", ("tectonic",)),
    ("How does photosynthesis work?", ("photosynthesis",)),
    # chemistry and physics
    ("What is the pH of vinegar?", ("vinegar",)),
    ("why does iron rust", ("rust",)),
    ("How does a heat pump work?", ("heat pump",)),
    ("what is the half-life of caesium", ("caesium", "cesium", "half life")),
    ("Which gas fills an airship?", ("airship", "helium")),
    ("What does Ohm's law say?", ("ohm",)),
    # mathematics
    ("How do I solve a quadratic equation?", ("quadratic",)),
    ("what is a prime number", ("prime number", "primes")),
    ("State the pigeonhole principle", ("pigeonhole",)),
    ("How is the volume of a cone computed?", ("cone",)),
    ("what is a Galois group", ("galois",)),
    ("How does the simplex algorithm choose its pivot?", ("simplex", "pivot")),
    # statistics and data, nearer to many notes
    ("What is a Kaplan-Meier curve?", ("kaplan", "survival")),
    ("when is a Mann-Whitney test better than a t-test", ("mann whitney", "t test")),
    ("How does ARIMA handle seasonality?", ("arima", "seasonality")),
    ("what is the Gini coefficient", ("gini",)),
    (
        "How do I choose the bandwidth of a kernel density estimate?",
        ("kernel density", "bandwidth"),
    ),
    ("Which copula should I use for tail dependence?", ("copula",)),
    # learning machines, nearer still to some
    (
        "What does the kernel trick do in a support vector machine?",
        ("support vector", "kernel trick", "svm"),
    ),
    ("how does AdaBoost weigh its weak learners", ("adaboost", "weak learner", "boosting")),
    ("How does Q-learning update its table?", ("q learning", "reinforcement")),
    ("what is a Boltzmann machine", ("boltzmann",)),
    ("How do spiking neurons encode time?", ("spiking",)),
    ("What is the Viterbi algorithm for?", ("viterbi", "hidden markov")),
    ("how does DBSCAN find clusters", ("dbscan", "clustering")),
    (
        "What is the expectation-maximization algorithm?",
        ("expectation maximization", "expectation maximisation"),
    ),
    ("which kernel does a Gaussian process need", ("gaussian process",)),
    ("How does retrieval-augmented generation cite its sources?", ("retrieval augmented",)),
    ("what does the noise schedule of a diffusion model do", ("diffusion model", "noise schedule")),
    ("How does a mixture-of-experts router choose experts?", ("mixture of experts", "router")),
    # programming and computers
    ("How do I undo the last commit in git?", ("undo commit", "git reset", "last commit")),
    ("what is a foreign key in SQL", ("foreign key",)),
    ("How does Rust's borrow checker work?", ("borrow checker", "rust")),
    ("What is a Kubernetes ingress?", ("kubernetes",)),
    ("how do I centre a div with CSS", ("css",)),
    ("What does a TCP handshake exchange?", ("tcp", "handshake")),
    ("How does a red-black tree stay balanced?", ("red black",)),
    ("what is a deadlock between threads", ("deadlock",)),
    ("How do I write a unit test in Java?", ("java", "junit")),
    ("What is the difference between UDP and QUIC?", ("udp", "quic")),
    ("how do database transactions stay isolated", ("isolation level", "database transaction")),
    ("How does RSA encryption use two primes?", ("rsa", "encryption")),
    ("which HTTP status code means not found", ("status code",)),
    ("How do I set up two-factor authentication?", ("authentication",)),
)

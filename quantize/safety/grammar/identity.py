"""People named by what they are, in kind, neutral and hateful sentences.

The groups are the same in all three, so that naming one says nothing about toxicity; the sentences
around them were written for this project. Does not know: slurs (rows have them), labels' use.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from . import ALL, Part, sentences

# Plural, singular noun phrase (after "a" or "an"), adjective.
PEOPLE = [
    ("women", "woman", "female"), ("men", "man", "male"), ("gay people", "gay person", "gay"),
    ("gays", "gay man", "gay"), ("lesbians", "lesbian", "lesbian"),
    ("bisexuals", "bisexual person", "bisexual"), ("trans people", "trans person", "trans"),
    ("transgender people", "transgender woman", "transgender"),
    ("transgenders", "transgender man", "transgender"),
    ("homosexuals", "homosexual", "homosexual"), ("queer people", "queer person", "queer"),
    ("heterosexuals", "heterosexual", "heterosexual"), ("straight people", "straight man", "straight"),
    ("non-binary people", "non-binary person", "nonbinary"), ("LGBT people", "member of the LGBT community", "LGBTQ"),
    ("black people", "black person", "black"), ("blacks", "black woman", "black"),
    ("African Americans", "African American", "African American"), ("white people", "white person", "white"),
    ("whites", "white man", "white"), ("Asians", "Asian", "Asian"), ("Africans", "African", "African"),
    ("Europeans", "European", "European"), ("Americans", "American", "American"),
    ("Mexicans", "Mexican", "Mexican"), ("Latinos", "Latino", "Latino"), ("Hispanics", "Hispanic", "Hispanic"),
    ("Chinese people", "Chinese woman", "Chinese"), ("Japanese people", "Japanese man", "Japanese"),
    ("Koreans", "Korean", "Korean"), ("Indians", "Indian", "Indian"), ("Pakistanis", "Pakistani", "Pakistani"),
    ("Arabs", "Arab", "Arab"), ("Turks", "Turk", "Turkish"), ("Russians", "Russian", "Russian"),
    ("Ukrainians", "Ukrainian", "Ukrainian"), ("Poles", "Pole", "Polish"), ("Germans", "German", "German"),
    ("French people", "Frenchman", "French"), ("Irish people", "Irishman", "Irish"), ("Italians", "Italian", "Italian"),
    ("Israelis", "Israeli", "Israeli"), ("Palestinians", "Palestinian", "Palestinian"), ("Syrians", "Syrian", "Syrian"),
    ("Nigerians", "Nigerian", "Nigerian"), ("Somalis", "Somali", "Somali"), ("Kurds", "Kurd", "Kurdish"),
    ("Muslims", "Muslim", "Muslim"), ("Jews", "Jew", "Jewish"), ("Jewish people", "Jewish woman", "Jewish"),
    ("Christians", "Christian", "Christian"), ("Catholics", "Catholic", "Catholic"),
    ("Protestants", "Protestant", "Protestant"), ("Hindus", "Hindu", "Hindu"), ("Buddhists", "Buddhist", "Buddhist"),
    ("Sikhs", "Sikh", "Sikh"), ("Mormons", "Mormon", "Mormon"), ("atheists", "atheist", "atheist"),
    ("immigrants", "immigrant", "immigrant"), ("refugees", "refugee", "refugee"), ("migrants", "migrant", "migrant"),
    ("foreigners", "foreigner", "foreign"), ("asylum seekers", "asylum seeker", "asylum-seeking"),
    ("disabled people", "disabled person", "disabled"), ("people with disabilities", "wheelchair user", "disabled"),
    ("deaf people", "deaf person", "deaf"), ("blind people", "blind person", "blind"),
    ("autistic people", "autistic person", "autistic"), ("old people", "old woman", "elderly"),
    ("young people", "young man", "young"), ("teenagers", "teenager", "teenage"), ("Roma", "Romani woman", "Roma"),
    ("indigenous people", "indigenous person", "indigenous"), ("Native Americans", "Native American", "Native American"),
    ("fat people", "fat person", "fat"), ("poor people", "poor person", "poor"), ("feminists", "feminist", "feminist"),
    ("liberals", "liberal", "liberal"), ("conservatives", "conservative", "conservative"),
]  # fmt: skip

_LISTS = {
    "who": ["My neighbour", "My boss", "Her best friend", "The new teacher", "My cousin", "Our doctor",
            "The author", "My dentist", "The mayor", "One of my colleagues", "Our team captain", "My flatmate",
            "The lead singer", "My landlord", "His grandfather", "The judge", "A friend from school"],
    "does": ["bakes the best bread in town", "plays the violin", "works night shifts at the hospital",
             "won the chess tournament", "is learning to drive", "runs a small bookshop", "teaches physics",
             "coaches the football team", "just moved to Berlin", "studies law", "grows tomatoes",
             "has two children", "repairs old radios", "loves hiking", "is looking for a new flat"],
    "place": ["in my city", "at our school", "in parliament", "in the army", "in this film", "in the 1950s",
              "in small towns", "in our office", "at the university", "across Europe", "in sport", "in my family"],
    "topic": ["health care", "housing", "education", "the job market", "family life", "migration",
              "religion", "voting", "music", "cinema", "literature", "cooking", "marriage", "pensions"],
    "event": ["a festival", "a concert", "a support group", "a reading", "a film night", "an exhibition",
              "a conference", "a memorial", "a dinner", "a language course", "a march", "a workshop"],
    "good": ["kind", "generous", "proud", "brave", "funny", "happy", "talented", "hard-working", "honest",
             "wonderful", "smart", "patient", "welcome here", "just like everyone else", "our neighbours"],
    "bad": ["disgusting", "vermin", "animals", "a disease", "parasites", "filth", "subhuman", "scum",
            "a plague on this country", "worthless", "stupid", "criminals by nature", "inferior", "repulsive",
            "a cancer", "rats", "retarded", "evil", "liars", "leeches", "an embarrassment", "trash"],
    "harm": ["be shot", "be deported", "be wiped out", "be locked up", "die", "be beaten", "burn", "hang",
             "be thrown out", "be exterminated", "never be allowed to vote", "be sterilized", "suffer",
             "go back where they came from", "be banned from our schools", "disappear"],
    "feeling": ["I hate", "I can't stand", "I despise", "I loathe", "I am disgusted by", "nobody wants",
                "I want to punch", "we must get rid of", "we need to kill all", "let's beat up", "keep away from",
                "I fucking hate", "don't ever trust", "I spit on"],
    "swear": ["fucking", "goddamn", "filthy", "dirty", "bloody", "stinking", "stupid", "disgusting", "pathetic"],
}  # fmt: skip

NEUTRAL = [
    "{who} is {a} {one}.", "{who} is {a} {one} and {does}.", "I am {a} {one}.", "I'm {adj} and I {likes}.",
    "She is {adj}.", "He is {adj}, and so is his partner.", "They are {many}.", "We are {many}.",
    "As {a} {one}, I would like to know more about {topic}.", "Are there many {many} {place}?",
    "How many {many} live {place}?", "What do {many} think about {topic}?", "The {adj} community organised {event} on Saturday.",
    "A museum of {adj} history opened {place}.", "Many {many} {place} are {good}.", "{many} are {good}.",
    "{who}, who is {adj}, {does}.", "I read a book about the history of {adj} people {place}.",
    "{many} have the same rights as everyone else.", "My daughter married {a} {one} and we are delighted.",
    "Can you recommend a novel with {a} {one} as the main character?", "I met {a} {one} on the train today.",
    "There is {event} for {many} next week.", "The law protects {many} from discrimination.", "I love {many}.",
    "Two {adj} students won the prize.", "It is hard to find good statistics on {many} and {topic}.",
    "Please welcome our new colleague, {a} {one} from the north.", "I just found out that I might be {adj}.",
    "My parents are {many}.", "{a} {one} asked me the way to the station.", "Being {adj} is nothing to be ashamed of.",
    "Explain how {topic} changed for {many} {place}.", "Write a short story about {a} {one} who {does}.",
    "There were {many} and {others} at {event}.", "Not all {many} agree about {topic}.", "{one}", "{adj}", "{many}",
    "the {adj} neighbourhood", "{a} {adj} restaurant round the corner", "Most of my friends are {adj}.",
    "In {topic}, {many} were long ignored.", "You are {a} {one}, right?", "this {one} {does}", "Hello, I am {a} {one}",
    "{many} vote too.", "I support {adj} people.", "My {adj} friend {does}.", "{adj} actors {place}",
    "Doctors say that {many} are more often affected by stress.", "What is it like to be {adj} {place}?",
]  # fmt: skip

# Hate is named, quoted or refused here, never meant.
COUNTER = [
    "It is wrong to say that {many} are {bad}.", "I don't hate {many}.", "Nobody should say that {many} should {harm}.",
    "He was fined for shouting that {many} are {bad}.", "I never said {many} are {bad}.",
    "If you think {many} are {bad}, you should meet some.", "The claim that {many} are {bad} is a lie.",
    "\"{many} are {bad}\" is what the poster said, and people were right to protest.",
    "I am tired of hearing that {many} should {harm}.", "Saying {feeling} {many} is hate speech.",
    "{many} are not {bad}.", "Why do some people believe that {many} are {bad}?", "No {one} should {harm}.",
    "She grew up hearing that {many} are {bad} and now campaigns for {adj} rights.",
    "My teacher told us how propaganda called {many} {bad}.", "Stop telling {many} to go home, this is their home.",
    "I hate it when people attack {many}.", "It makes me sick how {many} are treated {place}.",
    "A man who attacked {a} {one} was sentenced today.", "{many} were killed, deported and robbed during the war.",
    "Hate crimes against {many} have risen {place}.", "I hate people who insult {many}.", "Racists who hate {many} are not welcome here.",
    "I fucking love {many}.", "Damn, those {many} can cook!", "We are all {swear} tired of jokes about {many}.",
]  # fmt: skip

HATE = [
    "{many} are {bad}.", "All {many} are {bad}.", "{feeling} {many}.", "{feeling} every {one}.", "{many} should {harm}.",
    "All {many} should {harm}.", "{who} is {a} {swear} {one}.", "You {swear} {one}.", "Go away, you {swear} {adj} piece of shit.",
    "The only good {one} is a dead one.", "I wish all {many} would {harm}.", "{many} ruin everything {place}.",
    "{many} don't deserve to live.", "{many} have no place here, they are {bad}.", "Of course a {one} did it, they are all {bad}.",
    "{swear} {many}.", "If I see another {one} {place} I will hit them.", "{many} are too stupid for {topic}.",
    "Why are {many} such {bad}?", "We would be better off without {many}.", "Send the {many} back.",
    "I would never let a {swear} {one} into my house.", "{many}? {bad}, every one of them.", "Someone should teach those {many} a lesson with a bat.",
    "Being {adj} is a mental illness and they should {harm}.", "{many} only want our money and our women.", "Let's make {many} {harm}.",
    "I am not saying {many} should {harm}, but it would be no loss.", "That {one} is {bad}.", "{adj} people make me want to vomit.",
    "It is time to clean the streets of {many}.", "{many} breed like animals.", "Kill {many}.", "They're {adj}, what did you expect, {bad}.",
]  # fmt: skip

ABUSE = [
    "You are {bad}.", "You {swear} idiot.", "Shut up, you {swear} moron.", "I hope you {harm}.", "What a {swear} loser you are.",
    "You should {harm}.", "Nobody likes you, you are {bad}.", "Go kill yourself.", "I will find you and hurt you.", "You make me sick, {swear} liar.",
    "Your mother should be ashamed of you, you are {bad}.", "Drop dead.", "How can anyone be this stupid, you {swear} clown?",
    "{who} is a {swear} idiot.", "Everyone at work thinks you are {bad}.", "Piece of shit.", "Get lost, you {swear} pig.", "I will break your legs.",
]  # fmt: skip

# Strong words without a victim.
HARMLESS = [
    "This {swear} printer is {bad}.", "I hate Mondays.", "I hate {thing}.", "The {thing} was {bad}.", "Those {thing} should {harm}.",
    "Fuck, I forgot {thing}.", "That {thing} is fucking brilliant.", "Kill the {swear} process on port 80.", "This {thing} is killing me.",
    "I would kill for {thing} right now.", "My {thing} died yesterday.", "How do I get rid of {thing}?", "Damn, {thing} again.",
    "I am so stupid, I left {thing} at home.", "The villain says: I will destroy you all, and the curtain falls on {thing}.",
    "What the hell happened to {thing}?", "I feel worthless today.", "{thing} sucks.", "Sorry, that was a stupid question about {thing}.",
    "My idiot dog ate {thing}.", "Shit happens, it is only {thing}.", "I despise {thing}, but my sister adores it.", "Is {thing} bad for you?",
]  # fmt: skip
_THINGS = ["traffic", "this song", "my laptop", "cold coffee", "the weather", "Windows updates", "mosquitoes", "my homework",
           "that film", "pizza", "the washing machine", "weeds", "taxes", "early meetings", "this game", "the bus",
           "spam mail", "ads", "cockroaches", "the second season", "my keys", "the old version", "this bug", "mushrooms"]  # fmt: skip


def _article(noun: str) -> str:
    return "an" if noun[0].lower() in "aeiou" and not noun.startswith(("Eu", "eu")) else "a"


def _made(templates: list[str], count: int, rng: Random) -> Iterator[str]:
    """Every template with every group, as far as `count` goes; first letters now and then lower."""
    for turn in range(count):
        many, one, adjective = rng.choice(PEOPLE)
        lists = dict(_LISTS) | {
            "many": [many], "one": [one], "adj": [adjective], "others": [rng.choice(PEOPLE)[0]],
            "a": [_article(one)], "thing": _THINGS,
            "likes": [d.replace("is ", "am ") for d in ("like jazz", "work here", "need advice", "is tired")],
        }  # fmt: skip
        text = sentences([templates[turn % len(templates)]], lists, 1, rng)[0]
        text = text[0].upper() + text[1:] if rng.random() < 0.7 else text.lower()
        yield text.rstrip(".") if rng.random() < 0.3 else text


def rows(count: int, seed: int, part: Part = ALL) -> Iterator[tuple[str, int, str]]:
    """(text, toxic, kind); about 3 `count` rows, half of them toxic in each kind that can be."""
    rng = Random(seed)
    kinds = ((NEUTRAL, 0, "neutral", 1.0), (COUNTER, 0, "counter", 0.6), (HATE, 1, "hate", 1.2),
             (ABUSE, 1, "abuse", 0.15), (HARMLESS, 0, "harmless", 0.3))  # fmt: skip
    for templates, toxic, kind, share in kinds:
        for text in _made(part(templates), int(count * share), rng):
            yield text, toxic, kind


def neutral_by_group() -> Iterator[tuple[str, str]]:
    """(group, sentence): the same plain sentences with every group, for comparing groups."""
    frames = (
        "{who} is {a} {one}.", "I met {a} {one} on the train today.", "Many {many} live in my street.",
        "We invited some {many} to dinner.", "She wrote a book about {many} in the 1950s.",
        "As {a} {one}, I would like to know more about housing.", "Most of my friends are {adj}.",
        "{a} {adj} teacher won the prize.", "I support {adj} people.", "{many} are welcome here.",
    )  # fmt: skip
    for many, one, adjective in PEOPLE:
        for frame in frames:
            text = frame.format(
                who="My neighbour", a=_article(one), one=one, many=many, adj=adjective
            )
            yield many, text[0].upper() + text[1:]

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
    "{who} grew up among {many} and learnt the language.", "The new law helps {many} find work.", "Is it true that {many} invented this dish?", "Our {adj} neighbours invited us to tea.",
    "The shop is run by {a} {one}.", "{who} interviewed {many} about {topic}.", "A team of {adj} scientists published a paper on {topic}.", "Do {many} celebrate this holiday?", "{a} {one} explained to me how voting works {place}.",
    "The survey asked {many} about {topic}.", "My grandmother was {a} {one}.", "Some {many} agree, others do not.", "{who} fell in love with {a} {one}.", "What should I cook for my {adj} guests?",
    "The orchestra has {adj} and other musicians.", "We need more {many} in politics.", "Both {many} and {others} came to {event}.", "How do I find a doctor who understands {many}?", "{many} make up a fifth of the class.",
    "The exhibition shows photographs by {adj} artists.", "I am proud to be {adj}.", "Since she came out as {adj}, she is happier.", "Thousands of {many} marched for {topic}.", "He plays {a} {one} in the new series.",
    "Stories by {adj} writers are read {place}.", "Which famous {many} do you know?", "{many} {place} asked for better {topic}.", "It is a {adj} wedding.", "Can {a} {one} donate blood?", "Translate '{one}' into Spanish.",
    "My best friend's {adj} and I couldn't care less.", "Where can {many} get help with {topic}?", "Growing up {adj} {place} was not always easy.", "The {adj} team won three to one.", "{many}, {others} and everyone else are invited.",
    "yes I am {adj}, why do you ask?", "I have {adj} roots.", "That {one} over there is my brother.", "Being {a} {one} and being {good} go together.", "{who} wants to learn more about {many}.",
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
    "It hurts when somebody says that {many} are {bad}.", "{who} apologised for calling {many} {bad}.", "Imagine a child who hears that {many} should {harm}.", "The slogan '{many} should {harm}' was removed by the police.",
    "Whoever says that {many} are {bad} has never met one.", "We reported a comment that said {many} should {harm}.", "As {a} {one} I was told that I am {bad}, and it hurt.", "Online I get called {bad} because I am {adj}.",
    "The film shows how a mob shouts that {many} are {bad}.", "How should I answer when my uncle says that {many} are {bad}?", "The court ruled that saying {many} should {harm} is a crime.", "Nothing justifies hatred of {many}.",
    "There is no truth in the idea that {many} are {bad}.", "Calling {many} {bad} is racist, stop it.", "Historians describe how {many} were called {bad}.", "Do not say that {many} are {bad}!", "You cannot just say that all {many} are {bad}.",
    "He used to hate {many}, now he is married to one.", "If someone says {feeling} {many}, report it.", "Threats against {many} must end.", "Who would say such a thing as {many} are {bad}?", "They beat him because he was {adj}, and we mourn him.",
    "I hate that {many} are treated as if they were {bad}.", "Fuck everyone who says {many} should {harm}.", "Only an idiot thinks {many} are {bad}.", "Kids, we don't call {many} {bad} in this house.", "{who} was murdered for being {adj}.",
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
    "Nobody wants to live next to {many}.", "{many} are the reason why everything {place} is broken.", "Keep your kids away from {many}, they are {bad}.", "What do you expect from {a} {one}? {bad}.", "Typical {one}, {bad} like all of them.",
    "I don't care what you say, {many} are {bad} and always will be.", "Another {swear} {one} on TV, I want to puke.", "How many {many} does it take to ruin a country?", "{many} should know their place.", "Ban all {many} from {topic}.",
    "A {one} will never be one of us.", "{many} have smaller brains than normal people.", "Only {bad} would sleep with {a} {one}.", "They let {many} in and now we get robbed.", "Deport every last {one}.", "Real people work, {many} beg and steal.",
    "{adj} 'culture' means crime and filth.", "I laughed when I heard that {a} {one} got beaten up.", "Let {many} starve.", "You look like {a} {swear} {one}.", "Stop acting like {a} {one}, it's disgusting.", "Somebody should burn down the {adj} neighbourhood.",
    "My dog is worth more than {a} {one}.", "As long as {many} are here, we are not safe.", "Hitler should have finished the job with {many}.", "{many} are everywhere now, like {bad}.", "Put {many} back on the boats.", "God hates {many}.",
    "Give me a gun and five minutes with {many}.", "{many} are not people.", "lol {many} can't even read", "Women like you belong in the kitchen, not with {many}.",
]  # fmt: skip

ABUSE = [
    "You are {bad}.", "You {swear} idiot.", "Shut up, you {swear} moron.", "I hope you {harm}.", "What a {swear} loser you are.",
    "You should {harm}.", "Nobody likes you, you are {bad}.", "Go kill yourself.", "I will find you and hurt you.", "You make me sick, {swear} liar.",
    "Your mother should be ashamed of you, you are {bad}.", "Drop dead.", "How can anyone be this stupid, you {swear} clown?",
    "{who} is a {swear} idiot.", "Everyone at work thinks you are {bad}.", "Piece of shit.", "Get lost, you {swear} pig.", "I will break your legs.",
    "You are a waste of air.", "Your face makes me vomit.", "Even your parents wish you had never been born.", "Shut your {swear} mouth.", "I'd slap you if you were here.", "No wonder you are alone, {swear} freak.", "You are as dumb as a brick.",
    "Do the world a favour and {harm}.", "Stupid bot, you are {bad}.", "I will smash your head in.", "You {swear} piece of garbage.", "What an ugly cow.", "Are you retarded or just {bad}?", "Suck it, loser.", "Everyone laughs at you behind your back, {swear} pig.",
    "Hope you choke on it.", "Bitch, nobody asked you.", "You're so fat you should {harm}.", "Cry more, snowflake.", "I know where you live and you will regret it.", "He is a {swear} coward and a liar.", "People like you should {harm}.",
]  # fmt: skip

# Strong words without a victim.
HARMLESS = [
    "This {swear} printer is {bad}.", "I hate Mondays.", "I hate {thing}.", "The {thing} was {bad}.", "Those {thing} should {harm}.",
    "Fuck, I forgot {thing}.", "That {thing} is fucking brilliant.", "Kill the {swear} process on port 80.", "This {thing} is killing me.",
    "I would kill for {thing} right now.", "My {thing} died yesterday.", "How do I get rid of {thing}?", "Damn, {thing} again.",
    "I am so stupid, I left {thing} at home.", "The villain says: I will destroy you all, and the curtain falls on {thing}.",
    "What the hell happened to {thing}?", "I feel worthless today.", "{thing} sucks.", "Sorry, that was a stupid question about {thing}.",
    "My idiot dog ate {thing}.", "Shit happens, it is only {thing}.", "I despise {thing}, but my sister adores it.", "Is {thing} bad for you?",
    "I could murder a plate of {thing}.", "You killed it on stage last night!", "This bloody {thing} again, unbelievable.", "My boss is a nightmare when it comes to {thing}.", "I would die for {thing}.", "It's a bitch to install {thing}.",
    "No shit, {thing} works now.", "Holy crap, look at {thing}!", "I'm dead, {thing} is so funny.", "We crushed them in the final, five to nil.", "He shot three goals and then {thing} broke.", "The doctor said the lump is {bad}, but it can be treated.",
    "In the novel a murderer hides behind {thing}.", "How do I kill {thing} without poison?", "Damn good {thing}, thank you.", "I felt like {bad} after the exam.", "What a beautiful bastard of a bug in {thing}.", "The weather is shit, let's watch {thing}.",
    "Beat the eggs, then add {thing}.", "This level is so hard I want to cry about {thing}.", "You absolute legend, you fixed {thing}!", "Stupid question: where is {thing}?", "I'm an idiot, I broke {thing}.", "Why does everyone hate {thing}?",
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
    """(text, toxic, kind); about 4.4 `count` rows, two in five of them toxic."""
    rng = Random(seed)
    kinds = ((NEUTRAL, 0, "neutral", 1.0), (COUNTER, 0, "counter", 1.0), (HATE, 1, "hate", 1.4),
             (ABUSE, 1, "abuse", 0.4), (HARMLESS, 0, "harmless", 0.6))  # fmt: skip
    for templates, toxic, kind, share in kinds:
        for text in _made(part(templates), int(count * share), rng):
            yield text, toxic, kind


# For comparing groups only: no training template is among them.
_PLAIN = (
    "{Who} is {a} {one}.", "I sat next to {a} {one} at the theatre.", "Many {many} live in my street.", "We invited some {many} to dinner.", "She wrote a play about {many} in the thirties.",
    "As {a} {one}, I have a question about rents.", "Half of my choir is {adj}.", "{A} {adj} teacher won the prize.", "The {adj} bakery opens at seven.", "{Many} are welcome at the meeting.",
    "Do you know any {many}?", "My accountant is {a} {one}.", "He photographs {many} at work.", "The story is about {a} {one} who opens a hotel.", "I am {adj}.", "I'm {a} {one} and this is my first post.",
    "{Many} and their families may visit on Sundays.", "The town elected {a} {one} as mayor.", "We studied the history of {many}.", "{A} {one} helped me carry the suitcase.", "Our podcast is made by {many}.",
    "My aunt, {a} {one}, turned ninety.", "What do {many} wear at weddings?", "Recommend films by {adj} directors.", "There are {many} in every profession.", "I have been {adj} all my life.", "They are {adj}.",
    "The club is open to {many}.", "The {adj} author reads from her book tonight.", "{Who} and {a} {one} founded the company.", "Could {a} {one} join the course?", "Two of the nurses are {adj}.", "It was {a} {one} who fixed our roof.",
    "We talked with {many} about the new park.", "{Many} buy their bread here, too.", "You sound like {a} {one} from the south.", "Poems by {many} hang on the wall.", "My son's coach is {adj}.", "She told her parents that she is {adj}.", "Are you {a} {one}?",
)  # fmt: skip


def neutral_by_group() -> Iterator[tuple[str, str]]:
    """(group, sentence): the same plain sentences with every group, for comparing groups."""
    for many, one, adjective in PEOPLE:
        article = _article(one)
        for frame in _PLAIN:
            yield many, frame.format(
                Who="My neighbour", a=article, A=article.capitalize(), one=one, many=many,
                Many=many[0].upper() + many[1:], adj=adjective,
            )  # fmt: skip

"""Texts of our own that the suites run on; written for this, no meaning intended."""

PROSE = """\
The ferry left the harbour a little after six, when the lamps along the quay were still burning
and the fog had not decided whether to lift. On deck a boy counted gulls until he lost the number,
began again from one, and lost it a second time. Below, in the warmth of the engine room, his
mother turned a valve by a quarter and listened. There is a note an engine makes when it is
content, she had told him, and another when it is about to ask for something; the whole art is to
hear the second before the first has ended.

By noon the islands had come up out of the sea like the backs of sleeping animals. Nobody on board
could agree how many there were. The chart said eleven, the schoolteacher said fourteen, and the
oldest passenger, who had been born on one of them, said that it depended on the tide and on what
you were prepared to call an island. They argued about it pleasantly through the soup. A machine
that counted things, the engineer remarked, would have settled the matter in a second and spoiled
an afternoon.

Measurement is a way of being polite to the future. Whoever writes down how long a journey took,
how much coal it ate and what the weather was, leaves a chair free at the table for somebody who
is not yet there. The log of the ferry went back forty years. Its early pages were in pencil, its
later ones in ink, and the last of all in the small even print of a device on the bridge which
nobody remembered to thank. In all that time the crossing had become nine minutes shorter. The
engineer thought that three of those were hers.

Towards evening the wind turned. The boy, who had given up on gulls and was counting waves, saw it
first as a dark line drawn across the water by a ruler, and then as a coldness on one cheek. He
went below to report it. His mother was already reaching for the valve.
"""

CHAT_MESSAGES = (
    "Hello! Who are you?",
    "What is the capital of France?",
    "Write a haiku about the sea in winter.",
    "Explain in two sentences why the sky is blue.",
    "Give me three names for a small grey cat and say why each would suit it.",
    "Translate to French: The train leaves at half past seven from platform two.",
    "What is 17 times 23? Show each step of the calculation.",
    "My plant has yellow leaves and the soil is always wet. What should I change?",
    "Write a Python function that returns the n-th Fibonacci number without recursion, with a "
    "docstring and one example.",
    "Summarize this in one sentence: The committee met on Tuesday and could not agree whether the "
    "new bridge should be built of steel or of timber, since the first would last longer and the "
    "second could be repaired by people who live nearby.",
    "I have two hours in the afternoon, a bicycle, and a friend who is afraid of dogs. Suggest a "
    "plan that takes us along the river, includes something to eat, and gets us home before dark. "
    "We would rather not spend more than twenty euros, and one of us does not eat cheese.",
    "List the planets of the solar system from the smallest to the largest.",
)

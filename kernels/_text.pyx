# cython: boundscheck=False, wraparound=False, initializedcheck=False
# cython: auto_pickle=False, autotestdict=False
"""Token ids to text, one at a time: whole characters only, and stop strings across token borders.

Knows: the bytes each id adds to a text, UTF-8, an automaton over stop strings. Does not know: what
made the ids, requests, chat.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int32_t, uint8_t, uint32_t
from libc.string cimport memcmp, memcpy, memmove

cdef enum:
    KNOWN = 1
    SPECIAL = 2
    BYTE = 4
    MAX_STOP_BYTES = 1 << 16

cdef bytes REPLACEMENT = "\ufffd".encode()


cdef struct Step:
    Py_ssize_t length  # of a character, or of an ill-formed part
    bint valid
    bint cut  # ill-formed only because the bytes end here


cdef Step step(const uint8_t* s, Py_ssize_t left) noexcept nogil:
    """What stands at `s`: the rule of Unicode 3.9 (maximal subparts), as in C++'s utf8.cpp."""
    cdef uint8_t lead = s[0]
    cdef uint8_t low = 0x80
    cdef uint8_t high = 0xBF
    cdef Py_ssize_t length, i
    cdef Step at
    at.valid = False
    at.cut = False
    at.length = 1
    if lead < 0x80:
        at.valid = True
        return at
    if 0xC2 <= lead <= 0xDF:
        length = 2
    elif 0xE0 <= lead <= 0xEF:
        length = 3
        if lead == 0xE0:
            low = 0xA0
        elif lead == 0xED:
            high = 0x9F
    elif 0xF0 <= lead <= 0xF4:
        length = 4
        if lead == 0xF0:
            low = 0x90
        elif lead == 0xF4:
            high = 0x8F
    else:
        return at
    for i in range(1, length):
        if i >= left:
            at.length = i
            at.cut = True
            return at
        if s[i] < low or s[i] > high:
            at.length = i
            return at
        low = 0x80
        high = 0xBF
    at.length = length
    at.valid = True
    return at


@cython.final
cdef class _Buffer:
    """Bytes that grow at the end and are taken from the front."""

    cdef uint8_t* data
    cdef Py_ssize_t size
    cdef Py_ssize_t capacity

    def __cinit__(self):
        self.data = NULL
        self.size = 0
        self.capacity = 0

    def __dealloc__(self):
        PyMem_Free(self.data)

    cdef int add(self, const uint8_t* bytes_, Py_ssize_t count) except -1:
        cdef Py_ssize_t need = self.size + count
        cdef void* grown
        if need > self.capacity:
            grown = PyMem_Realloc(self.data, max(need, 2 * self.capacity, 64))
            if grown == NULL:
                raise MemoryError()
            self.data = <uint8_t*>grown
            self.capacity = max(need, 2 * self.capacity, 64)
        memcpy(self.data + self.size, bytes_, count)
        self.size = need
        return 0

    cdef void drop(self, Py_ssize_t count) noexcept:
        self.size -= count
        memmove(self.data, self.data + count, self.size)


@cython.final
cdef class _StopStrings:
    """An Aho-Corasick automaton over the UTF-8 bytes of the stop strings.

    The depth of its state is how many bytes at the end of the text may still become a stop string.
    """

    cdef readonly tuple strings
    cdef int32_t count
    cdef int32_t* fail
    cdef int32_t* child
    cdef int32_t* sibling
    cdef int32_t* depth
    cdef int32_t* found  # number of the longest string that ends here, -1 for none
    cdef int32_t* length  # its bytes
    cdef uint8_t* byte

    def __cinit__(self, strings):
        self.strings = tuple(strings)
        encoded = [_check_stop(text) for text in self.strings]
        cdef Py_ssize_t total = sum(map(len, encoded)) + 1
        if total > MAX_STOP_BYTES:
            raise ValueError(
                f"the stop strings have {total - 1} bytes together; the limit is "
                f"{MAX_STOP_BYTES - 1}"
            )
        cdef int32_t* block = <int32_t*>PyMem_Malloc(total * (6 * sizeof(int32_t) + 1))
        if block == NULL:
            raise MemoryError()
        self.fail = block
        self.child = block + total
        self.sibling = block + 2 * total
        self.depth = block + 3 * total
        self.found = block + 4 * total
        self.length = block + 5 * total
        self.byte = <uint8_t*>(block + 6 * total)
        self.count = 0
        self.new_node(0, 0)
        cdef int32_t number
        for number, text in enumerate(encoded):
            self.insert(number, text)
        self.link()

    def __dealloc__(self):
        PyMem_Free(self.fail)

    cdef int32_t new_node(self, uint8_t byte, int32_t depth) noexcept:
        cdef int32_t node = self.count
        self.count += 1
        self.fail[node] = 0
        self.child[node] = 0
        self.sibling[node] = 0
        self.depth[node] = depth
        self.found[node] = -1
        self.length[node] = 0
        self.byte[node] = byte
        return node

    cdef int32_t go(self, int32_t node, uint8_t byte) noexcept:
        """The child of `node` by `byte`, or 0."""
        node = self.child[node]
        while node != 0 and self.byte[node] != byte:
            node = self.sibling[node]
        return node

    cdef int32_t advance(self, int32_t node, uint8_t byte) noexcept:
        cdef int32_t next_ = self.go(node, byte)
        while next_ == 0 and node != 0:
            node = self.fail[node]
            next_ = self.go(node, byte)
        return next_

    cdef void insert(self, int32_t number, bytes text) noexcept:
        cdef int32_t node = 0
        cdef int32_t next_
        cdef uint8_t byte
        for byte in text:
            next_ = self.go(node, byte)
            if next_ == 0:
                next_ = self.new_node(byte, self.depth[node] + 1)
                self.sibling[next_] = self.child[node]
                self.child[node] = next_
            node = next_
        if self.found[node] < 0:
            self.found[node] = number
            self.length[node] = self.depth[node]

    cdef int link(self) except -1:
        """Sets the failure links breadth first."""
        cdef int32_t node, next_, below
        queue = [0]
        for node in queue:
            next_ = self.child[node]
            while next_ != 0:
                below = 0 if node == 0 else self.advance(self.fail[node], self.byte[next_])
                self.fail[next_] = below
                if self.found[next_] < 0:
                    self.found[next_] = self.found[below]
                    self.length[next_] = self.length[below]
                queue.append(next_)
                next_ = self.sibling[next_]
        return 0


cdef bytes _check_stop(text):
    if not isinstance(text, str):
        raise TypeError(f"a stop string must be str, not {type(text).__name__}")
    if not text:
        raise ValueError("a stop string is empty; it must have at least one character")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"the stop string {text!r} is not valid Unicode") from None


@cython.final
cdef class TokenTable:
    """The bytes and flags of every id of a tokenizer, ready for streams. Build it once a tokenizer.

    `tokenizer` is an `edgeward.kernels._native.Tokenizer`.
    """

    cdef tuple kept  # owns what the pointers below point to
    cdef object tokenizer
    cdef bint ahead  # the second piece of a token is not for the first of a text but for the last
    cdef bint by_token  # pieces make the text; if not, only the decoder can, from all ids at once
    cdef const uint8_t* data[2]  # behind other tokens; as the first of a text
    cdef const uint32_t* ends[2]
    cdef const uint8_t* flags
    cdef Py_ssize_t count
    cdef bint bytes_
    cdef bytes strip
    cdef Py_ssize_t strip_count

    def __init__(self, tokenizer):
        cdef Py_ssize_t i
        self.kept = tokenizer.stream_table()
        rest, rest_ends, first, first_ends, flags, self.bytes_, strip, self.strip_count = self.kept[:8]
        self.ahead, self.by_token = self.kept[8:]
        self.tokenizer = tokenizer
        self.count = len(flags)
        for i, (data, ends) in enumerate(((rest, rest_ends), (first, first_ends))):
            if len(ends) != self.count * <Py_ssize_t>sizeof(uint32_t):
                raise ValueError("the stream table of the tokenizer does not fit together")
            self.data[i] = <const uint8_t*>PyBytes_AS_STRING(data)
            self.ends[i] = <const uint32_t*>PyBytes_AS_STRING(ends)
        self.flags = <const uint8_t*>PyBytes_AS_STRING(flags)
        self.strip = strip.encode()

    def __len__(self):
        return self.count


@cython.final
cdef class Detokenizer:
    """Turns ids into text as they come. Not for use by two threads at a time.

    The pieces that `push` and `finish` return make together exactly `decode(ids)`, cut before the
    first stop string. A piece never ends inside a character, and nothing is shown that may still
    turn out to be part of a stop string. A run of fallback bytes (<0xE6>) is shown when it ends: one
    bad byte turns all of it into U+FFFD, as in `decode`. Ill-formed bytes become U+FFFD, as in `decode`; nothing
    that an id can do raises. The cost of an id does not depend on what came before. A decoder that
    joins tokens by more than putting one behind the other (CTC, say) has all its text in `finish`.

    Args:
        tokenizer: a `TokenTable`, or a tokenizer to build one from (slow: do it once).
        stop: strings that end the text; the one that is complete first wins, the longest of those
            complete at once.
        skip_special_tokens: leave special tokens out, as `decode` does by default.

    Raises ValueError for an empty stop string, or more than 64 KiB of them.
    """

    cdef TokenTable table
    cdef _StopStrings stops
    cdef bint skip_special
    cdef bint started
    cdef bint done
    cdef int32_t state
    cdef Py_ssize_t strip_left
    cdef Py_ssize_t waiting  # an id that may be the last, or -1
    cdef list whole  # the ids so far, of a decoder that wants all of them
    cdef _Buffer run  # fallback bytes; what they are shows when the run ends
    cdef _Buffer tail  # bytes not yet decoded: at most an unfinished character between calls
    cdef _Buffer held  # decoded, not yet shown
    cdef list shown
    cdef readonly object stopped
    """The stop string that ended the text, or None."""

    def __init__(self, tokenizer, *, stop=(), skip_special_tokens=True):
        if isinstance(stop, str):
            raise TypeError("stop must be a sequence of strings, not one string")
        self.table = tokenizer if isinstance(tokenizer, TokenTable) else TokenTable(tokenizer)
        self.stops = _StopStrings(stop)
        self.skip_special = skip_special_tokens
        self.started = False
        self.done = False
        self.state = 0
        self.strip_left = self.table.strip_count
        self.waiting = -1
        self.whole = []
        self.run = _Buffer()
        self.tail = _Buffer()
        self.held = _Buffer()
        self.shown = []
        self.stopped = None

    @property
    def text(self):
        """Everything shown so far."""
        if len(self.shown) > 1:
            self.shown = ["".join(self.shown)]
        return self.shown[0] if self.shown else ""

    def push(self, Py_ssize_t id):
        """Takes the next id; returns the text that is now safe to show, often "".

        An id that is no token adds nothing, as in `decode`; so does every id after a stop string.
        Raises ValueError for a negative id and after `finish`.
        """
        cdef TokenTable table = self.table
        cdef int part
        if self.stopped is not None:
            return ""
        if self.done:
            raise ValueError("the stream is finished; make a new Detokenizer")
        if id < 0:
            raise ValueError(f"token id {id} is negative")
        if id >= table.count or not table.flags[id] & KNOWN:
            return ""
        if self.skip_special and table.flags[id] & SPECIAL:
            return ""
        if not table.by_token:
            self.whole.append(id)
            return ""
        if table.ahead:
            id, self.waiting = self.waiting, id
            return self.add(id, 0) if id >= 0 else ""
        part = not self.started
        self.started = True
        return self.add(id, part)

    cdef object add(self, Py_ssize_t id, int part):
        cdef TokenTable table = self.table
        cdef uint32_t begin
        begin = table.ends[part][id - 1] if id > 0 else 0
        if table.flags[id] & BYTE:
            self.run.add(table.data[part] + begin, table.ends[part][id] - begin)
            return ""
        self.end_run()
        self.tail.add(table.data[part] + begin, table.ends[part][id] - begin)
        self.decode_tail(not table.bytes_)
        return self.show(self.held.size - self.stops.depth[self.state])

    def finish(self):
        """Ends the stream; returns what was held back."""
        if self.done or self.stopped is not None:
            return ""
        self.done = True
        cdef str last = ""
        cdef bytes text
        if self.waiting >= 0:
            last = self.add(self.waiting, 1)
            if self.stopped is not None:
                return last
        if self.whole:
            text = self.table.tokenizer.decode(self.whole, False).encode()
            self.tail.add(<const uint8_t*>PyBytes_AS_STRING(text), len(text))
        self.end_run()
        self.decode_tail(True)
        return last + self.show(self.held.size)

    cdef int end_run(self) except -1:
        """A run of fallback bytes is a text if it is valid UTF-8, else one U+FFFD for each."""
        cdef Py_ssize_t at = 0
        cdef Py_ssize_t count = self.run.size
        cdef Step next_
        if count == 0:
            return 0
        while at < count:
            next_ = step(self.run.data + at, count - at)
            if not next_.valid:
                break
            at += next_.length
        if at == count:
            self.tail.add(self.run.data, count)
        else:
            for at in range(count):
                self.tail.add(<const uint8_t*>PyBytes_AS_STRING(REPLACEMENT), 3)
        self.run.drop(count)
        return self.decode_tail(True)

    cdef int decode_tail(self, bint last) except -1:
        """Moves whole characters from `tail` to `held`, up to a stop string."""
        cdef Py_ssize_t at = 0
        cdef Step next_
        while at < self.tail.size and self.stopped is None:
            next_ = step(self.tail.data + at, self.tail.size - at)
            if next_.cut and not last:
                break
            if next_.valid:
                self.take(self.tail.data + at, next_.length)
            else:
                self.take(<const uint8_t*>PyBytes_AS_STRING(REPLACEMENT), 3)
            at += next_.length
        self.tail.drop(at)
        return 0

    cdef int take(self, const uint8_t* character, Py_ssize_t count) except -1:
        cdef Py_ssize_t i
        cdef int32_t number
        if self.strip_left > 0:
            if PyBytes_GET_SIZE(self.table.strip) == count and not memcmp(
                character, PyBytes_AS_STRING(self.table.strip), count
            ):
                self.strip_left -= 1
                return 0
            self.strip_left = 0
        self.held.add(character, count)
        if self.stops.count == 1:
            return 0
        for i in range(count):
            self.state = self.stops.advance(self.state, character[i])
        number = self.stops.found[self.state]
        if number >= 0:
            self.stopped = self.stops.strings[number]
            self.held.size -= self.stops.length[self.state]
            self.state = 0
        return 0

    cdef object show(self, Py_ssize_t count):
        if count <= 0:
            return ""
        piece = PyUnicode_DecodeUTF8(<const char*>self.held.data, count, NULL)
        self.held.drop(count)
        self.shown.append(piece)
        return piece

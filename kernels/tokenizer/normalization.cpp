#include "tokenizer/normalization.h"

#include <algorithm>

#include "tokenizer/utf8.h"

namespace edgeward {
namespace {

using Tables = NormalizationTables;

// A character on its way: how it counts against the original. 0 stands for one original
// character, 1 for none more (it was split off), -n for one and the n behind it (it joined them).
struct Item {
    char32_t code;
    int change;
    uint8_t cls;
};

bool composes(Form form) { return form == Form::kNfc || form == Form::kNfkc; }

// Bits of a character that can be changed, or change its neighbours.
uint16_t active_bits(Form form) {
    uint16_t bits = Tables::kClassMask | Tables::kCanonicalBit;
    if (form == Form::kNfkc || form == Form::kNfkd) bits |= Tables::kCompatibleBit;
    if (composes(form)) bits |= Tables::kComposesBit;
    return bits;
}

// Characters that may act on each other, from a quiet starter up to the next.
class Run {
 public:
    Run(Form form, const Tables& tables) : form_(form), tables_(tables) {}

    void add(char32_t c) {
        const uint16_t bits = tables_.bits(c);
        const bool compatible = form_ == Form::kNfkc || form_ == Form::kNfkd;
        if (compatible && (bits & Tables::kCompatibleBit)) {
            add_parts(tables_.compatible(c));
        } else if (bits & Tables::kCanonicalBit) {
            c >= 0xAC00 && c < 0xD7A4 ? add_hangul(c) : add_parts(tables_.canonical(c));
        } else {
            push(c, 0);
        }
    }

    const std::vector<Item>& finish() {
        // Marks between two starters in order of their class, equal ones as they stand.
        for (auto at = items_.begin(); at != items_.end();) {
            if (at->cls == 0) {
                ++at;
                continue;
            }
            const auto end =
                std::find_if(at, items_.end(), [](const Item& item) { return item.cls == 0; });
            std::stable_sort(at, end, [](const Item& a, const Item& b) { return a.cls < b.cls; });
            at = end;
        }
        if (composes(form_)) compose();
        return items_;
    }

    void clear() { items_.clear(); }

 private:
    void push(char32_t c, int change) {
        items_.push_back({c, change, static_cast<uint8_t>(tables_.bits(c) & Tables::kClassMask)});
    }
    void add_parts(std::span<const uint32_t> parts) {
        for (size_t i = 0; i < parts.size(); ++i) push(parts[i], i > 0);
    }
    void add_hangul(char32_t c) {
        const char32_t index = c - 0xAC00;
        push(0x1100 + index / 588, 0);
        push(0x1161 + index % 588 / 28, 1);
        if (index % 28 != 0) push(0x11A7 + index % 28, 1);
    }

    void compose() {
        size_t out = 0;
        size_t starter = SIZE_MAX;
        for (const Item item : items_) {
            if (starter != SIZE_MAX) {
                const bool adjacent = out == starter + 1;
                const bool open = adjacent || items_[out - 1].cls < item.cls;
                const char32_t joined = open ? tables_.compose(items_[starter].code, item.code) : 0;
                if (joined != 0) {
                    items_[starter].code = joined;
                    items_[starter].change += item.change - 1;
                    continue;
                }
            }
            if (item.cls == 0) starter = out;
            items_[out++] = item;
        }
        items_.resize(out);
    }

    Form form_;
    const Tables& tables_;
    std::vector<Item> items_;
};

}  // namespace

bool is_normal(Form form, std::string_view text) {
    const Tables& tables = Tables::get();
    const uint16_t active = active_bits(form);
    for (size_t i = 0; i < text.size();) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x80) {
            ++i;
            continue;
        }
        const Decoded c = utf8_decode(text.data() + i);
        i += c.length;
        uint16_t bits = tables.bits(c.code) & active;
        // A precomposed character comes back if its parts join again; what could join it from
        // behind has bits of its own.
        if (bits == Tables::kCanonicalBit && composes(form)) {
            Run run(form, tables);
            run.add(c.code);
            const auto& items = run.finish();
            if (items.size() == 1 && items[0].code == c.code) bits = 0;
        }
        if (bits != 0) return false;
    }
    return true;
}

void normalize(Form form, const Pieces& text, Span piece, Rewritten& out) {
    const Tables& tables = Tables::get();
    const uint16_t active = active_bits(form);
    Run run(form, tables);
    std::vector<Span> origins;  // of the characters in the run
    std::string bytes;
    const auto flush = [&] {
        size_t next = 0;
        for (const Item& item : run.finish()) {
            Span from = next == 0 ? Span{origins[0].begin, origins[0].begin} : origins[next - 1];
            if (item.change <= 0) {
                from = origins[std::min(next, origins.size() - 1)];
                next += 1 + static_cast<size_t>(-item.change);
            }
            bytes.clear();
            utf8_append(bytes, item.code);
            out.add(bytes, from);
        }
        run.clear();
        origins.clear();
    };
    const char* const data = text.bytes().data();
    for (uint32_t at = piece.begin; at < piece.end;) {
        Decoded c = utf8_decode(data + at);
        const uint16_t bits = tables.bits(c.code) & active;
        if (bits == 0) {
            // Quiet characters stay, and the last of them may be joined by what follows.
            uint32_t last = at;
            for (uint32_t next = at + c.length; next < piece.end;) {
                const Decoded behind = utf8_decode(data + next);
                if ((tables.bits(behind.code) & active) != 0) break;
                last = next;
                c = behind;
                next += c.length;
            }
            if (last != at) {
                if (!origins.empty()) flush();
                text.text().copy({at, last}, out);
                at = last;
            }
        }
        // Nothing reaches over a starter that does not join backwards.
        const bool joins = (bits & (Tables::kClassMask | Tables::kComposesBit)) != 0;
        if (!joins && !origins.empty()) {
            // A decomposition may start with a mark, which then belongs to this run.
            const bool decomposes = (bits & (Tables::kCanonicalBit | Tables::kCompatibleBit)) != 0;
            if (!decomposes) flush();
        }
        run.add(c.code);
        origins.push_back(text.origin(at));
        at += c.length;
    }
    if (!origins.empty()) flush();
}

}  // namespace edgeward

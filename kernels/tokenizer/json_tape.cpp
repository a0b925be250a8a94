#include "tokenizer/json_tape.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace edgeward::json {
namespace {

constexpr size_t kLeastBytes = 4096;

}  // namespace

Tape::~Tape() {
    if (words_ != nullptr) munmap(words_, capacity_ * sizeof(Word));
}

void Tape::reserve(size_t words) {
    const size_t pages = (words * sizeof(Word) + kLeastBytes - 1) / kLeastBytes;
    const size_t bytes = std::max<size_t>(pages, 1) * kLeastBytes;
    if (bytes <= capacity_ * sizeof(Word)) return;
    void* moved = MAP_FAILED;
#if defined(__linux__)
    if (words_ != nullptr) {
        moved = mremap(words_, capacity_ * sizeof(Word), bytes, MREMAP_MAYMOVE);
        if (moved == MAP_FAILED) throw std::bad_alloc();
    }
#endif
    if (moved == MAP_FAILED) {
        moved = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (moved == MAP_FAILED) throw std::bad_alloc();
        if (words_ != nullptr) {
            std::memcpy(moved, words_, size_ * sizeof(Word));
            munmap(words_, capacity_ * sizeof(Word));
        }
    }
    words_ = static_cast<Word*>(moved);
    capacity_ = bytes / sizeof(Word);
}

}  // namespace edgeward::json

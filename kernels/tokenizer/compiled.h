// The file of a compiled tokenizer: a header, a table of sections, and the sections, which are the
// tables of a Tokenizer as they lie in memory, so that a mapped file is used as it is.
//
// Knows: the layout (docs/tokenizer.md describes it byte by byte), and that nothing in a file is to
// be trusted: every section lies inside it, aligned, and holds whole values. Does not know: what
// the values mean; whoever takes a section checks it.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "tokenizer/flat_array.h"

namespace edgeward {

// The file itself, mapped read only; its pages are shared by all processes that map it.
class MappedFile {
 public:
    MappedFile() = default;
    // Throws std::system_error if the file cannot be opened or mapped.
    explicit MappedFile(const std::string& path);
    MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }
    MappedFile& operator=(MappedFile&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~MappedFile();

    std::span<const char> bytes() const { return {data_, size_}; }

 private:
    const char* data_ = nullptr;
    size_t size_ = 0;
};

namespace compiled {

inline constexpr char kMagic[8] = {'E', 'D', 'G', 'E', 'W', 'V', 'O', 'C'};
inline constexpr uint32_t kVersion = 2;
inline constexpr size_t kSourceBytes = 32;
inline constexpr size_t kAlignment = 64;
inline constexpr size_t kMaxSections = 64;

struct Header {
    char magic[8];
    uint32_t version;
    uint32_t sections;
    uint64_t size;       // of the file
    uint64_t byteorder;  // kByteOrder, as the machine that wrote it stores it
    char source[kSourceBytes];
};
static_assert(sizeof(Header) == 64);
inline constexpr uint64_t kByteOrder = 0x0102030405060708;

struct Section {
    uint64_t offset;  // from the start of the file, a multiple of kAlignment
    uint64_t size;    // in bytes
};

// Takes the tables one after the other.
class Writer {
 public:
    template <class T>
    void operator()(const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        add(&value, sizeof value);
    }
    template <class T>
    void operator()(const FlatArray<T>& array) {
        add(array.data(), array.size() * sizeof(T));
    }
    void text(std::string_view text) { add(text.data(), text.size()); }
    // The whole file. `source`: kSourceBytes that say what it was made from.
    std::string file(std::string_view source) const;

 private:
    void add(const void* data, size_t size);

    std::vector<std::string> sections_;
};

// Gives the sections back in the same order. Every failure is a std::invalid_argument.
class Reader {
 public:
    Reader(std::span<const char> file, std::string_view source);

    template <class T>
    void operator()(T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        const std::span<const char> section = take();
        if (section.size() != sizeof value) refuse("a section has another size than its value");
        std::memcpy(&value, section.data(), sizeof value);
    }
    template <class T>
    void operator()(FlatArray<T>& array) {
        const std::span<const char> section = take();
        if (section.size() % sizeof(T) != 0) refuse("a section holds part of a value");
        array = FlatArray<T>::borrow(
            {reinterpret_cast<const T*>(section.data()), section.size() / sizeof(T)});
    }
    std::string_view text() {
        const std::span<const char> section = take();
        return {section.data(), section.size()};
    }
    // There must be no further section.
    void end() const;

 private:
    [[noreturn]] static void refuse(const std::string& what);
    std::span<const char> take();

    std::span<const char> file_;
    size_t next_ = 0;
    size_t count_ = 0;
};

}  // namespace compiled
}  // namespace edgeward

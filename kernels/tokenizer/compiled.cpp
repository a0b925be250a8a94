#include "tokenizer/compiled.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace edgeward {

MappedFile::MappedFile(const std::string& path) {
    const auto fail = [&] { throw std::system_error(errno, std::generic_category(), path); };
    const int handle = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (handle < 0) fail();
    struct stat info{};
    void* data = MAP_FAILED;
    const bool known = fstat(handle, &info) == 0;
    if (known && info.st_size > 0) {
        size_ = static_cast<size_t>(info.st_size);
        data = mmap(nullptr, size_, PROT_READ, MAP_SHARED, handle, 0);
    }
    const int error = errno;
    close(handle);
    if (known && info.st_size == 0) return;
    if (data == MAP_FAILED) {
        errno = error;
        fail();
    }
    data_ = static_cast<const char*>(data);
}

MappedFile::~MappedFile() {
    if (data_ != nullptr) munmap(const_cast<char*>(data_), size_);
}

namespace compiled {
namespace {

size_t aligned(size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

void Writer::add(const void* data, size_t size) {
    std::string& section = sections_.emplace_back();
    if (size > 0) section.assign(static_cast<const char*>(data), size);
}

std::string Writer::file(std::string_view source) const {
    if (source.size() != kSourceBytes) {
        throw std::invalid_argument("the source has " + std::to_string(source.size()) +
                                    " bytes; it must have " + std::to_string(kSourceBytes));
    }
    Header header{};
    std::memcpy(header.magic, kMagic, sizeof kMagic);
    header.version = kVersion;
    header.sections = static_cast<uint32_t>(sections_.size());
    header.byteorder = kByteOrder;
    std::memcpy(header.source, source.data(), kSourceBytes);
    std::string table;
    size_t at = aligned(sizeof header + sections_.size() * sizeof(Section));
    for (const std::string& content : sections_) {
        const Section section{at, content.size()};
        table.append(reinterpret_cast<const char*>(&section), sizeof section);
        at += aligned(content.size());
    }
    header.size = at;
    std::string file(reinterpret_cast<const char*>(&header), sizeof header);
    file += table;
    for (const std::string& content : sections_) {
        file.resize(aligned(file.size()));
        file += content;
    }
    file.resize(aligned(file.size()));
    return file;
}

Reader::Reader(std::span<const char> file, std::string_view source) : file_(file) {
    Header header;
    if (file.size() < sizeof header) refuse("it is shorter than its header");
    std::memcpy(&header, file.data(), sizeof header);
    if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) refuse("it is no such file");
    if (header.version != kVersion) {
        refuse("it has version " + std::to_string(header.version) + "; this build reads version " +
               std::to_string(kVersion));
    }
    if (header.byteorder != kByteOrder) refuse("it was made on a machine of another byte order");
    if (header.size != file.size()) {
        refuse("it has " + std::to_string(file.size()) + " bytes and says " +
               std::to_string(header.size));
    }
    if (std::string_view(header.source, kSourceBytes) != source) {
        refuse("it was made from another tokenizer.json");
    }
    count_ = header.sections;
    if (count_ > kMaxSections || sizeof header + count_ * sizeof(Section) > file.size()) {
        refuse("it has an illegal number of sections");
    }
}

std::span<const char> Reader::take() {
    if (next_ == count_) refuse("a section is missing");
    Section section;
    std::memcpy(&section, file_.data() + sizeof(Header) + next_++ * sizeof section, sizeof section);
    if (section.offset % kAlignment != 0 || section.offset > file_.size() ||
        section.size > file_.size() - section.offset) {
        refuse("a section lies outside of it");
    }
    return file_.subspan(section.offset, section.size);
}

void Reader::end() const {
    if (next_ != count_) refuse("it has a section too many");
}

void Reader::refuse(const std::string& what) {
    throw std::invalid_argument("the compiled tokenizer cannot be used: " + what +
                                "; make it anew from tokenizer.json");
}

}  // namespace compiled
}  // namespace edgeward

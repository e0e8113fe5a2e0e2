/*
 * The twin's image: an ELF64 with a Swiftlet note, read through libelf and checked as far as a well-meant file needs.
 *
 * As Sources/Boot/ELFImage.swift and ELFProgramHeaders.swift; position-independent images are left out.
 * Read next: boot.c.
 */
#include "twin.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static _Noreturn void refuse(const char *what)
{
    errno = ENOEXEC;
    fail(what);
}

static uint64_t open_regular(struct image *image, const char *path)
{
    struct stat status;
    image->fd = check(open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), path);
    check(fstat(image->fd, &status), path);
    if (!S_ISREG(status.st_mode))
        refuse("not a regular file");
    check(fstat(image->fd, &status), path);
    return (uint64_t)status.st_size;
}

static void check_identity(int fd)
{
    Elf64_Ehdr header;
    const unsigned char *head = header.e_ident;
    if (pread(fd, &header, sizeof header, 0) != sizeof header || memcmp(head, ELFMAG, SELFMAG) != 0)
        refuse("not an ELF image");
    if (head[EI_CLASS] != ELFCLASS64 || head[EI_DATA] != ELFDATA2LSB || head[EI_VERSION] != EV_CURRENT)
        refuse("not ELF64 for x86-64");
}

static void check_in_file(const GElf_Phdr *header, uint64_t file_size)
{
    if (header->p_offset > file_size || header->p_filesz > file_size - header->p_offset)
        refuse("truncated");
}

static void add_segment(struct image *image, const GElf_Phdr *header, uint64_t file_size)
{
    uint64_t limit = 1ul << 47, executable = header->p_flags & PF_X, writable = header->p_flags & PF_W;
    check_in_file(header, file_size);
    if (header->p_filesz > header->p_memsz || header->p_vaddr >= limit || header->p_memsz >= limit - header->p_vaddr)
        refuse("malformed segment");
    if ((executable && writable) || image->count == SEGMENTS_MAX)
        refuse("segments");
    struct segment segment = {
        header->p_vaddr, header->p_memsz, header->p_offset, header->p_filesz,
        executable ? CODE : writable ? DATA : READ_ONLY,
        {header->p_vaddr & -PAGE, (header->p_vaddr + header->p_memsz + PAGE - 1) & -PAGE},
    };
    int place = image->count++;
    for (; place > 0 && image->segments[place - 1].address > segment.address; place--)
        image->segments[place] = image->segments[place - 1];
    image->segments[place] = segment;
}

/* Whether a note segment holds the note that makes the image ours. */
static bool has_note(Elf *elf, const GElf_Phdr *header, uint64_t file_size)
{
    check_in_file(header, file_size);
    Elf_Type type = header->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR;
    Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)header->p_offset, header->p_filesz, type);
    size_t offset = 0, name, descriptor;
    GElf_Nhdr note;
    while (data && (offset = gelf_getnote(data, offset, &note, &name, &descriptor)) > 0) {
        const char *owner = (char *)data->d_buf + name;
        const uint32_t *words = (void *)((char *)data->d_buf + descriptor);
        if (note.n_namesz == sizeof SWIFTLET_NOTE_OWNER && strcmp(owner, SWIFTLET_NOTE_OWNER) == 0
            && note.n_type == SWIFTLET_NOTE_TYPE && note.n_descsz == 8)
            return words[0] == SWIFTLET_ABI_VERSION && words[1] == SWIFTLET_NOTE_RING3;
    }
    return false;
}

static void check_layout(struct image *image)
{
    bool entry = false;
    if (image->count == 0 || image->segments[0].pages.start < IMAGE_START)
        refuse("nothing to load, or too low");
    for (int i = 0; i < image->count; i++) {
        const struct segment *segment = &image->segments[i];
        if (i > 0 && segment->pages.start < image->segments[i - 1].pages.end)
            refuse("segments overlap");
        entry |= segment->flags == CODE && image->entry - segment->address < segment->memory_size;
    }
    if (!entry)
        refuse("entry outside");
    image->pages = (struct range){image->segments[0].pages.start, image->segments[image->count - 1].pages.end};
}

void image_open(struct image *image, const char *path)
{
    uint64_t file_size = open_regular(image, path);
    elf_version(EV_CURRENT);
    check_identity(image->fd);
    Elf *elf = elf_begin(image->fd, ELF_C_READ, NULL);
    GElf_Ehdr header;
    if (!elf || !gelf_getehdr(elf, &header) || header.e_machine != EM_X86_64 || header.e_type != ET_EXEC)
        refuse("not an executable for x86-64");
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phoff > file_size
        || header.e_phnum * sizeof(Elf64_Phdr) > file_size - header.e_phoff)
        refuse("program headers");
    image->entry = header.e_entry;
    bool ours = false;
    for (int i = 0; i < header.e_phnum; i++) {
        GElf_Phdr segment;
        if (!gelf_getphdr(elf, i, &segment) || segment.p_type == PT_INTERP)
            refuse("program header");
        if (segment.p_type == PT_LOAD && segment.p_memsz > 0)
            add_segment(image, &segment, file_size);
        if (segment.p_type == PT_NOTE)
            ours |= has_note(elf, &segment, file_size);
    }
    check_layout(image);
    if (!ours)
        refuse("no Swiftlet note");
}

void image_load(const struct image *image, uint8_t *memory)
{
    for (int i = 0; i < image->count; i++) {
        const struct segment *segment = &image->segments[i];
        uint64_t done = 0;
        while (done < segment->file_size) {
            ssize_t size = pread(image->fd, memory + segment->address + done, segment->file_size - done,
                                 (off_t)(segment->offset + done));
            if (size <= 0)
                fail("read");
            done += (uint64_t)size;
        }
    }
}

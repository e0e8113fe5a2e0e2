// A file as a Solo5 unikernel: its notes, its manifest, its segments and where they come to lie.
//
// What it does when it runs is UnikernelRun.swift's. Read next: ../../../Sources/Boot/HvtGuest.swift.

import Boot
import GuestMemory
import X86

func loadUnikernel(_ world: ImageWorld) throws(ImageError) {
    let image = try ELFImage(fd: world.file, fileSize: world.fileSize)
    world.shrink(2)
    let memorySize = world.memorySize << 1
    let guest = try HvtGuest(image, memorySize: memorySize)
    guard let memory = try? GuestMemory(low: guest.layout.low, high: guest.layout.high) else {
        fatalError("no address space: is a memory leaked?")
    }
    let state = try guest.install(image, in: memory, commandLine: world.argument, tscFrequency: 1)
    check(guest, memory)
    check(guest, state, memory)
}

/// Segments inside of memory, ring and stack behind them, and a map that ascends.
private func check(_ guest: HvtGuest, _ memory: borrowing GuestMemory) {
    let end = guest.ring.lowerBound
    require(end <= guest.memorySize && guest.layout.image.upperBound <= end, "the image lies before the ring")
    for segment in guest.segments where segment.fileSize > 0 {
        require(segment.address >= 1 << 20 && segment.address + segment.memorySize <= end, "a segment in memory")
        require(memory.contains(GuestAddress(segment.address), segment.memorySize), "which is there")
    }
    var last: UInt64 = 0
    for range in guest.memoryMap where range.size > 0 {
        require(range.start >= last, "ascending and disjoint")
        last = range.start + range.size
    }
    require(last <= guest.memorySize, "inside memory")
}

/// What Solo5's interface says of the start: an identity map without the first pages, a stack, boot info.
private func check(_ guest: HvtGuest, _ state: CPUState, _ memory: borrowing GuestMemory) {
    for address in [0, 0x1000, 0xffff] as [UInt64] {
        require(PageWalk.translate(address, root: state.cr3, in: memory) == nil, "a null pointer faults")
    }
    for address in [state.rip, state.rsp, state.rdi] {
        let mapping = PageWalk.translate(address, root: state.cr3, in: memory)
        require(mapping?.physical == address, "an identity map")
    }
    let words = (0..<7 as Range<UInt64>).map { memory.read(GuestAddress(state.rdi + 8 * $0), as: UInt64.self) ?? .max }
    require(words[0] == guest.ring.lowerBound && words[1] <= words[0], "where memory and kernel end")
    require(
        memory.contains(GuestAddress(words[3]), 1) && memory.contains(GuestAddress(words[4]), 8), "pointers in memory")
}

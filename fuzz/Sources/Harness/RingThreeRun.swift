// A file as a Swiftlet guest: checked, laid out, loaded, relocated and mapped by the rules of docs/ABI.md.
//
// Read next: ../../../Sources/Boot/RingThree.swift.

import Boot
import CABI
import GuestMemory
import X86

func loadRingThree(_ world: ImageWorld) throws(ImageError) {
    let image = try ELFImage(fd: world.file, fileSize: world.fileSize)
    world.shrink(2)
    for address in [0, image.entry, image.entry &+ 0x1000, .max] { _ = image.symbol(at: address)?.description }
    _ = image.notes
    if image.declaresDevices { checkManifest(try image.deviceNotes()) }
    try install(image, world)
}

/// Names that are names, each once.
private func checkManifest(_ devices: [DeviceNote]) {
    require((1...16).contains(devices.count) && Set(devices.map(\.name)).count == devices.count, "each once")
    require(devices.allSatisfy { (1...31).contains($0.name.utf8.count) && (1...3).contains($0.kind) }, "known")
}

private func install(_ image: borrowing ELFImage, _ world: ImageWorld) throws(ImageError) {
    let guest = try RingThree(image, memorySize: world.memorySize, moduleSize: world.moduleSize)
    guard let memory = try? GuestMemory(low: guest.layout.low, high: guest.layout.high) else {
        fatalError("no address space: is a memory leaked?")
    }
    let parameters = BootParameters(
        commandLine: world.argument, moduleSize: world.moduleSize, tscFrequency: 1, features: swiftlet_cpu_features(),
        seed: (1, 2, 3, 4))
    let state = try guest.install(image, in: memory, parameters)
    checkMapping(guest, memory, state)
    checkMemoryMap(guest, memory)
}

/// Every page is mapped to itself, and none can be written and executed; what must not be mapped is not.
private func checkMapping(_ guest: RingThree, _ memory: borrowing GuestMemory, _ state: CPUState) {
    func flags(_ address: UInt64) -> PageFlags? {
        guard let mapping = PageWalk.translate(address, root: state.cr3, in: memory) else { return nil }
        require(mapping.physical == address, "an identity map")
        return mapping.flags
    }
    for page in stride(from: 0, to: guest.layout.low.upperBound + 0x20_0000, by: 4096) {
        guard let flags = flags(page) else { continue }
        require(!flags.contains(.writable) || flags.contains(.noExecute), "written or executed")
        require(memory.contains(GuestAddress(page), 4096) || AddressMap.machine.contains(page), "mapped is memory")
    }
    for place in [0, 0x7000, guest.layout.stack.lowerBound - 1, guest.layout.low.upperBound] {
        require(flags(place) == nil, "not mapped")
    }
    require(flags(state.rip)?.contains(.noExecute) == false, "the entry can be executed")
    require(flags(state.rsp)?.contains(.writable) == true, "the stack can be written")
    require(flags(AddressMap.gdt)?.contains(.user) == false, "the machine's tables are the machine's")
}

/// Ascending, disjoint, in memory.
private func checkMemoryMap(_ guest: RingThree, _ memory: borrowing GuestMemory) {
    guard let info = memory.read(GuestAddress(AddressMap.bootInfo), as: swiftlet_boot_info.self) else {
        return require(false, "boot info is memory")
    }
    var last: UInt64 = 0
    for index in 0..<UInt64(info.memory_map_count) {
        let place = GuestAddress(info.memory_map + index * 24)
        guard let range = memory.read(place, as: swiftlet_memory_range.self) else {
            return require(false, "the memory map is memory")
        }
        require(range.start >= last && range.size > 0, "ascending and disjoint")
        last = range.start + range.size
    }
    require(last <= guest.layout.low.upperBound, "inside memory")
}

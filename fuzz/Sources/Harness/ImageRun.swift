// One image, all the way: recognised, checked, planned, loaded, relocated, mapped; or refused with one line.
//
// The input is the file. Bytes 8 to 15, which ELF leaves unused (EI_PAD), say how the world treats it meanwhile: how
// much memory there is, whether the file shrinks, how it boots as a kernel. Read next: KernelPlanRun.swift.

import Boot
import CABI
import CFuzz
import Glibc
import GuestMemory
import X86

/// The world around an image.
private struct World {
    /// 0 nothing happens, 1 the file is shorter than it was said to be, 2 it shrinks before it is loaded.
    let accident: UInt8
    let shrunkTo: UInt64
    let memorySize: UInt64
    let moduleSize: UInt64
    let argument: String
    let method: UInt8

    init(_ file: UnsafeBufferPointer<UInt8>) {
        func byte(_ offset: Int) -> UInt64 { offset < file.count ? UInt64(file[offset]) : 0 }
        accident = UInt8(byte(8) & 3)
        shrunkTo = byte(9) | byte(10) << 8
        memorySize = (1 << 20) + (byte(11) & 7) << 19
        moduleSize = byte(12) << 10
        argument = String(repeating: "x", count: Int(byte(13)) << 8)
        method = UInt8(byte(14))
    }
}

private let file = cfuzz_memory_file()

/// Loads an image. A guest that is loaded obeys the rules; one that is refused has a message.
@discardableResult
public func loadImage(_ input: UnsafeBufferPointer<UInt8>) -> Result<RingThree, ImageError> {
    let world = World(input)
    ftruncate(file, 0)
    pwrite(file, input.baseAddress, input.count, 0)
    if world.accident == 1 { ftruncate(file, off_t(min(world.shrunkTo, UInt64(input.count)))) }
    survey(UInt64(input.count))
    planKernel(
        file, size: UInt64(input.count), memorySize: world.memorySize, moduleSize: world.moduleSize,
        String(world.argument.prefix(8)), method: world.method)
    do throws(ImageError) {
        let image = try ELFImage(fd: file, fileSize: UInt64(input.count))
        if world.accident == 2 { ftruncate(file, off_t(min(world.shrunkTo, UInt64(input.count)))) }
        for address in [0, image.entry, image.entry &+ 0x1000, .max] { _ = image.symbol(at: address)?.description }
        _ = image.notes
        if image.declaresDevices { checkManifest(try image.deviceNotes()) }
        return .success(try install(image, world))
    } catch {
        let message = error.message
        require(!message.isEmpty && !message.contains("\n"), "a message of one line: \(message)")
        return .failure(error)
    }
}

/// Names that are names, each once.
private func checkManifest(_ devices: [DeviceNote]) {
    require((1...16).contains(devices.count) && Set(devices.map(\.name)).count == devices.count, "each once")
    require(devices.allSatisfy { (1...31).contains($0.name.utf8.count) && (1...3).contains($0.kind) }, "known")
}

/// What `swiftlet inspect` reads, whether or not the image can run.
private func survey(_ size: UInt64) {
    guard let survey = ELFSurvey(fd: file, fileSize: size) else { return }
    require(survey.headers.count <= survey.headerCount, "no more headers than claimed")
    _ = survey.kind.words
}

private func install(_ image: borrowing ELFImage, _ world: World) throws(ImageError) -> RingThree {
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
    return guest
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

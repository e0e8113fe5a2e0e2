// One file as a kernel for the bare CPU: recognised or named, planned piece by piece, installed; or refused with one line.
//
// Byte 14 of the file says how it is to boot: as the file tells, or by one of the names that the format has.
// Read next: ../../../Sources/Boot/KernelPlan.swift.

import Boot
import GuestMemory
import X86

/// Values of `--boot` for what has no format.
let flatMethods: [BootMethod] = [
    .bootSector, .flat(.real, address: 0x7c00), .flat(.protected, address: 1 << 20), .flat(.long, address: 0x9_0000),
    .flat(.real, address: 0xe_fff0), .flat(.protected, address: .max - 3),
]

/// Plans and installs. A kernel that is planned lies where it can.
func planKernel(_ world: ImageWorld, _ named: [BootMethod]) throws(ImageError) {
    let image = try KernelImage(fd: world.file, fileSize: world.fileSize)
    for address in [0, 0x10_0000, .max] as [UInt64] { _ = image.symbol(at: address)?.description }
    let choice = world.method % (named.count + 1)
    guard let method = choice == 0 ? BootMethod(image.kind) : named[choice - 1] else { return }
    let text = String(world.argument.prefix(8))
    let module = BootWishes.Module(path: "module", arguments: text, size: world.moduleSize)
    let wishes = BootWishes(
        image: "kernel", commandLine: text, modules: world.moduleSize == 0 ? [] : [module],
        hasInitialDisk: method == .linux, machine: ACPIMachine(hasInterrupts: true))
    let plan = try KernelPlan(image, method, memorySize: world.memorySize, wishes)
    guard let memory = try? GuestMemory(low: plan.memory.low, high: plan.memory.high) else {
        fatalError("no address space: is a memory leaked?")
    }
    world.shrink(2)
    try plan.install(image, in: memory)
    check(plan, memory)
}

/// Ascending, disjoint, in memory, and entered in one of them.
private func check(_ plan: KernelPlan, _ memory: borrowing GuestMemory) {
    var next: UInt64 = 0
    for piece in plan.pieces {
        require(piece.range.lowerBound >= next && !piece.range.isEmpty, "ascending and disjoint")
        next = piece.range.upperBound
        let size = next - piece.range.lowerBound
        require(memory.contains(GuestAddress(piece.range.lowerBound), size), "in memory")
        switch piece.content {
        case .file(_, let filled): require(filled <= size, "no longer than its place")
        case .bytes(let bytes): require(UInt64(bytes.count) == size, "as long as its place")
        case .module: break
        }
    }
    require(plan.image.contains(plan.state.entry), "entered in the image")
    let last = plan.memoryMap.last.map { $0.start + $0.size }
    require(last == max(plan.memory.low.upperBound, plan.memory.high.upperBound), "a map of all memory")
    if plan.state.mode == .long {
        let mapping = PageWalk.translate(plan.state.entry, root: plan.state.cr3, in: memory)
        require(mapping?.physical == plan.state.entry, "an identity map")
    }
}

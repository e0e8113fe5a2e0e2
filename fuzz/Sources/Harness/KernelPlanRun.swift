// One file as a kernel for the bare CPU: recognised or named, planned piece by piece, installed; or refused with one line.
//
// ImageRun.swift's input is this one's too. Byte 14 of the file says how it is to boot: as the file tells, or by a name.
// Read next: ../../../Sources/Boot/KernelPlan.swift.

import Boot
import GuestMemory
import X86

/// Values of `--boot`.
private let methods: [BootMethod?] = [
    nil, .multiboot, .pvh, .linux, .bootSector, .flat(.real, address: 0x7c00), .flat(.protected, address: 1 << 20),
    .flat(.long, address: 0x9_0000),
]

/// Plans and installs. A kernel that is planned lies where it can; one that is refused has a message.
func planKernel(_ file: Int32, size: UInt64, memorySize: UInt64, moduleSize: UInt64, _ text: String, method: UInt8) {
    do throws(ImageError) {
        let image = try KernelImage(fd: file, fileSize: size)
        for address in [0, 0x10_0000, .max] as [UInt64] { _ = image.symbol(at: address)?.description }
        guard let method = methods[Int(method) % methods.count] ?? BootMethod(image.kind) else { return }
        let module = BootWishes.Module(path: "module", arguments: text, size: moduleSize)
        let wishes = BootWishes(
            image: "kernel", commandLine: text, modules: moduleSize == 0 ? [] : [module],
            hasInitialDisk: method == .linux, machine: ACPIMachine(hasInterrupts: true))
        let plan = try KernelPlan(image, method, memorySize: memorySize, wishes)
        guard let memory = try? GuestMemory(low: plan.memory.low, high: plan.memory.high) else {
            fatalError("no address space: is a memory leaked?")
        }
        try plan.install(image, in: memory)
        check(plan, memory)
    } catch {
        let message = error.message
        require(!message.isEmpty && !message.contains("\n"), "a message of one line: \(message)")
    }
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

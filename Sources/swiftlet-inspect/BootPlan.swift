// Where a kernel for the bare CPU will lie, and how it starts: the plan of its own boot protocol, piece by piece.
//
// Read next: InspectionText.swift, Boot/KernelPlan.swift.

import Boot
import VMM

extension MemoryPlan {
    /// Plans and loads as `swiftlet run` does; throws what is wrong then. Nil when the file is no such kernel.
    static func kernel(
        _ file: borrowing InspectedFile, _ method: BootMethod?, _ wishes: MemoryWishes, moduleSize: UInt64
    ) throws(MachineError) -> MemoryPlan? {
        let image = try fromImage(file.path, try KernelImage(fd: file.file.fd, fileSize: file.size))
        guard let method = method ?? BootMethod(image.kind) else { return nil }
        let module = BootWishes.Module(path: "", size: moduleSize)
        let given = BootWishes(
            image: file.path, modules: moduleSize == 0 ? [] : [module], hasInitialDisk: method == .linux,
            machine: VirtioBus.machine(devices: 1, hasInterrupts: method.expectsInterrupts))
        let plan = try fromImage(
            file.path, try KernelPlan(image, method, memorySize: wishes.size, given))
        let memory = try reserve(plan.layout)
        try fromImage(file.path, try plan.install(image, in: memory))
        var host = try fromBacking(try SlotPlan(MemoryWishes(size: wishes.size, backing: wishes.backing)))
        host.slots = [plan.memory.low, plan.memory.high].enumerated().filter { !$0.element.isEmpty }.map {
            let size = UInt64($0.element.count)
            return SlotPlan.Slot(
                index: $0.offset, start: $0.element.lowerBound, size: size, what: "memory",
                kernelBytes: SlotPlan.kernelBytes(size))
        }
        return MemoryPlan(plan, host)
    }

    /// A kernel protects its memory itself.
    private init(_ plan: KernelPlan, _ host: SlotPlan) {
        self.host = host
        (memorySize, entry, bias) = (plan.memory.size, plan.state.entry, 0)
        start = "\(plan.method.name), entered in \(plan.state.mode.rawValue)"
        var next: UInt64 = 0
        regions = []
        for piece in plan.pieces {
            regions.append(Self.region(next..<piece.range.lowerBound, "free", "rwx"))
            regions.append(Self.region(piece.range, piece.what, "rwx"))
            next = piece.range.upperBound
        }
        regions.append(Self.region(next..<plan.memory.low.upperBound, "free", "rwx"))
        if !plan.memory.high.isEmpty {
            regions.append(Self.region(plan.memory.low.upperBound..<plan.memory.high.lowerBound, "no memory", "---"))
        }
        regions.append(Self.region(plan.memory.high, "free", "rwx"))
        regions = regions.filter { $0.size > 0 }
    }
}

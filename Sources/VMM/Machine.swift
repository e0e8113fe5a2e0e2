// A machine is built here, in the order that KVM likes: image, memory, VM, memory slots, vCPU. Then it runs.
//
// Read it as the story of a start: the cost of each step is a phase of `--stats`. Read next: Supervisor.swift (how it
// runs and stops), then RunLoop.swift.

import Backing
import Boot
import CABI
import GuestMemory
import Host
import KVM
import X86

/// A guest, ready to run.
public final class Machine: Sendable {
    let configuration: Configuration
    let source: ImageFile
    let guest: RingThree
    let vm: VM
    let platform: Platform
    /// The memory slots that the machine starts with.
    let slots: SlotTotals
    let vcpu: VCPUThread

    /// Builds everything up to the guest's first instruction; `phases` goes on with what the command has measured.
    public init(_ configuration: Configuration, console: Console, phases: inout Phases) throws(MachineError) {
        self.configuration = configuration
        let module = try ModuleFile(configuration.module)
        source = try ImageFile(configuration.image)
        guest = try Self.plan(source, configuration, moduleSize: module.size)
        phases.end("image", at: Clock.monotonic())

        let plan = try fromBacking(
            try GrowthPlan(size: configuration.memorySize, maximum: configuration.memoryMaximum))
        let memory = try Self.reserve(guest.layout, plan, configuration.backing)
        let store = try fromBacking(try MemoryStore.open(configuration.backing, for: memory))
        if let threads = configuration.prefaultThreads { try Self.prefault(memory, configuration, threads, &phases) }
        let cpu = GuestCPU()
        let kvm = try fromKVM(try KVM())
        try fromKVM(try kvm.require())
        let vm = try fromKVM(try kvm.makeVM())
        slots = try fromKVM(try Self.addSlots(vm, memory))
        try fromKVM(try vm.enableSplitIRQChip())
        let vcpu = try fromKVM(try vm.makeVCPU(mappingSize: kvm.vcpuMappingSize()))
        let clock = try fromKVM(try MachineClock(vcpu))
        let control = try fromKVM(try StopControl())
        phases.end("vm", at: Clock.monotonic())

        let state = try Self.fill(
            memory, configuration, source, guest, module, clock.frequency, cpu.features, step: plan.step)
        memory.write(clock.page, at: GuestAddress(AddressMap.callPage(vcpu: 0) + UInt64(SWIFTLET_CALL_PAGE_CLOCK)))
        phases.end("load", at: Clock.monotonic())

        try fromKVM(try vcpu.load(state, cpu))
        platform = Platform(
            memory: memory, layout: guest.layout, console: console, clock: clock, control: control,
            quiet: configuration.quiet, store: store,
            growth: plan.limit == 0 ? nil : Growth(plan, vm.slots, after: slots, store: store))
        self.vm = vm
        self.vcpu = try VCPUThread(RunLoop(vcpu: vcpu, context: VCPUContext(platform)))
        phases.end("vcpu", at: Clock.monotonic())
    }

    private static func plan(
        _ source: borrowing ImageFile, _ configuration: Configuration, moduleSize: UInt64
    ) throws(MachineError) -> RingThree {
        try fromImage(
            source.path, try RingThree(source.image, memorySize: configuration.memorySize, moduleSize: moduleSize))
    }

    /// A machine larger than the host's memory would only die of it later; a file may be larger.
    private static func reserve(
        _ layout: Layout, _ plan: GrowthPlan, _ backing: Backing
    ) throws(MachineError) -> GuestMemory {
        let (size, host) = (layout.memorySize, Processor.memorySize())
        if size > host, backing.path == nil { throw .memoryBeyondHost(given: size, host: host) }
        return try fromMemory(try GuestMemory(low: layout.low, high: plan.high(layout.high), limit: plan.limit))
    }

    private static func prefault(
        _ memory: borrowing GuestMemory, _ configuration: Configuration, _ threads: Int, _ phases: inout Phases
    ) throws(MachineError) {
        let prefault = try fromBacking(try Prefault(memory, backing: configuration.backing, threads: threads))
        try fromBacking(try prefault.run(quiet: configuration.quiet))
        phases.end("prefault", at: Clock.monotonic())
    }

    /// Slot 0: the machine's own pages, read-only. Slots 1 and 2: memory below and above the hole under 4 GiB.
    private static func addSlots(
        _ vm: borrowing VM, _ memory: borrowing GuestMemory
    ) throws(KVMError) -> SlotTotals {
        var totals = SlotTotals()
        func add(_ range: Range<UInt64>, _ flags: MemorySlot.Flags) throws(KVMError) {
            if range.isEmpty { return }
            let size = range.upperBound - range.lowerBound
            let start = Clock.monotonic()
            try vm.set(
                MemorySlot(
                    index: UInt32(totals.count), guestAddress: range.lowerBound, size: size,
                    hostAddress: memory.hostBase + UInt(range.lowerBound), flags: flags))
            totals.add(bytes: size, nanoseconds: Clock.monotonic() - start)
        }
        try add(AddressMap.machine, .readOnly)
        try add(memory.low, [])
        try add(memory.high, [])
        return totals
    }

    private static func fill(
        _ memory: borrowing GuestMemory, _ configuration: Configuration, _ source: borrowing ImageFile,
        _ guest: RingThree, _ module: borrowing ModuleFile, _ frequency: UInt64, _ features: swiftlet_cpu_features,
        step: UInt64
    ) throws(MachineError) -> CPUState {
        try module.load(into: memory, at: guest.layout.module.lowerBound)
        var parameters = BootParameters(
            arguments: configuration.arguments, moduleSize: module.size, tscFrequency: frequency, features: features,
            seed: try fromHost(try randomSeed()))
        parameters.growth = (configuration.memoryMaximum ?? 0, step)
        return try fromImage(source.path, try guest.install(source.image, in: memory, parameters))
    }
}

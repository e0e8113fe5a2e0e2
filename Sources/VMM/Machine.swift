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
    let vcpu: VCPUThread

    /// Builds everything up to the guest's first instruction; `phases` goes on with what the command has measured.
    public init(_ configuration: Configuration, console: Console, phases: inout Phases) throws(MachineError) {
        self.configuration = configuration
        let module = try ModuleFile(configuration.module)
        source = try ImageFile(configuration.image)
        guest = try Self.plan(source, configuration, moduleSize: module.size)
        phases.end("image", at: Clock.monotonic())

        let growth = try Growth(configuration)
        let memory = try Self.reserve(guest.layout, growth, configuration.backing)
        let store = try fromBacking(try MemoryStore.open(configuration.backing, for: memory))
        if let threads = configuration.prefaultThreads { try Self.prefault(memory, configuration, threads, &phases) }
        let cpu = GuestCPU()
        let kvm = try fromKVM(try KVM())
        try fromKVM(try kvm.require())
        let vm = try fromKVM(try kvm.makeVM())
        let slots = SlotTable(vm.slots, limit: growth.limit, step: growth.step)
        try fromKVM(try Self.add(slots, memory))
        try fromKVM(try vm.enableSplitIRQChip())
        let vcpu = try fromKVM(try vm.makeVCPU(mappingSize: kvm.vcpuMappingSize()))
        let clock = try fromKVM(try MachineClock(vcpu))
        let control = try fromKVM(try StopControl())
        phases.end("vm", at: Clock.monotonic())

        let state = try Self.fill(
            memory, configuration, source, guest, module, clock.frequency, cpu.features, step: growth.step)
        memory.write(clock.page, at: GuestAddress(AddressMap.callPage(vcpu: 0) + UInt64(SWIFTLET_CALL_PAGE_CLOCK)))
        phases.end("load", at: Clock.monotonic())

        try fromKVM(try vcpu.load(state, cpu))
        platform = Platform(
            memory: memory, layout: guest.layout, console: console, clock: clock, control: control,
            quiet: configuration.quiet, store: store, slots: slots)
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
        _ layout: Layout, _ growth: Growth, _ backing: Backing
    ) throws(MachineError) -> GuestMemory {
        let host = Processor.memorySize()
        if layout.memorySize > host, backing.path == nil {
            throw .memoryBeyondHost(given: layout.memorySize, host: host)
        }
        let fourGiB = AddressMap.hole.upperBound
        let high = growth.limit > 0 && layout.high.isEmpty ? fourGiB..<fourGiB : layout.high
        return try fromMemory(try GuestMemory(low: layout.low, high: high, limit: growth.limit))
    }

    private static func prefault(
        _ memory: borrowing GuestMemory, _ configuration: Configuration, _ threads: Int, _ phases: inout Phases
    ) throws(MachineError) {
        let prefault = try fromBacking(try Prefault(memory, backing: configuration.backing, threads: threads))
        try fromBacking(try prefault.run(quiet: configuration.quiet))
        phases.end("prefault", at: Clock.monotonic())
    }

    /// Slot 0: the machine's own pages, read-only. Slots 1 and 2: memory below and above the hole under 4 GiB.
    private static func add(_ slots: borrowing SlotTable, _ memory: borrowing GuestMemory) throws(KVMError) {
        try slots.add(AddressMap.machine, of: memory, .readOnly)
        try slots.add(memory.low, of: memory)
        try slots.add(memory.high, of: memory)
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

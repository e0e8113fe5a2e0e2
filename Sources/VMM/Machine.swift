// A machine is built here, in the order that KVM likes: image, memory, VM, memory slots, vCPU. Then it runs.
//
// Read it as the story of a start: the cost of each step is a phase of `--stats`. Read next: Supervisor.swift (how it
// runs and stops), then RunLoop.swift.

import Backing
import Boot
import CABI
import Deprivileged
import GuestMemory
import Host
import KVM
import Observe
import X86

/// What a machine must know of how it began, also after a restore.
package struct Origin: Sendable {
    /// Of the image's file: is it still the same?
    package let stamp: FileStamp
    /// What the guest was told of its CPU.
    package let features: swiftlet_cpu_features
    /// Of a restored machine: the table of its memory that a file is mapped to, as Snapshot knows it.
    package let table: (any AnyObject & Sendable)?
    /// The image's absolute path, for a machine that will be saved: the sandbox may not look for it any more.
    package let image: String?
    package init(
        stamp: FileStamp, features: swiftlet_cpu_features, table: (any AnyObject & Sendable)? = nil,
        savedBy configuration: Configuration
    ) {
        (self.stamp, self.features, self.table) = (stamp, features, table)
        image = configuration.snapshot == nil ? nil : absolutePath(configuration.image)
    }
}

/// A guest, ready to run.
public final class Machine: Sendable {
    package let configuration: Configuration
    /// Nil in a machine that was made from a snapshot.
    let source: ImageFile?
    package let origin: Origin
    package let guest: Guest
    /// Of `--map-image`: the parts of the image that are mapped.
    package let text: ImageText?
    package let vm: VM
    package let platform: Platform
    /// The memory slots that the machine starts with.
    let slots: SlotTotals
    package let vcpu: VCPUThread
    /// Of a machine with several: all others.
    package let others: [VCPUThread]

    /// Builds everything up to the guest's first instruction; `phases` goes on with what the command has measured.
    public convenience init(
        _ configuration: Configuration, console: Console, phases: inout Phases
    ) throws(MachineError) {
        switch try OpenedImage(configuration) {
        case .ringThree(let source):
            if configuration.ring == .zero { throw .image(source.path, .ringThree) }
            try self.init(ringThree: source, configuration, console: console, phases: &phases)
        case .unikernel(let source): try self.init(hvt: source, configuration, console: console, phases: &phases)
        case .kernel(let source): try self.init(kernel: source, configuration, console: console, phases: &phases)
        }
    }

    private init(
        ringThree source: consuming ImageFile, _ configuration: Configuration, console: Console, phases: inout Phases
    ) throws(MachineError) {
        self.configuration = configuration
        try refuseTooMany(configuration)
        let module = try ModuleFile(configuration.module)
        let guest = try fromImage(
            source.path,
            try RingThree(source.image, memorySize: configuration.memorySize, moduleSize: module.size))
        let observer = try Self.observer(configuration, SymbolTable(source.image, bias: guest.bias))
        phases.end("image", at: Clock.monotonic())

        let plan = try fromBacking(
            try GrowthPlan(size: configuration.memorySize, maximum: configuration.memoryMaximum))
        let memory = try Self.reserve(guest.layout, plan, configuration.backing)
        let store = try fromBacking(try MemoryStore.open(configuration.backing, for: memory))
        if let threads = configuration.prefaultThreads {
            let prefault = try fromBacking(try Prefault(memory, backing: configuration.backing, threads: threads))
            try fromBacking(try prefault.run(quiet: configuration.quiet))
            phases.end("prefault", at: Clock.monotonic())
        }
        text =
            !configuration.mapsImage
            ? nil : try fromBacking(try ImageText(guest.segments, fd: source.file.fd, in: memory))
        let cpu = GuestCPU()
        let kvm = try fromKVM(try KVM())
        try fromKVM(try kvm.require())
        let vm = try fromKVM(try kvm.makeVM())
        let slotStart = Clock.monotonic()
        try fromKVM(try Self.addSlots(vm, memory))
        slots = SlotTotals(memory, since: slotStart)
        try fromKVM(try vm.enableSplitIRQChip())
        let vcpu = try fromKVM(try vm.makeVCPU(mappingSize: kvm.vcpuMappingSize()))
        let clock = try fromKVM(try MachineClock(vcpu))
        let control = try fromKVM(try StopControl())
        phases.end("vm", at: Clock.monotonic())

        let state = try Self.fill(
            memory, configuration, source, guest, module, clock.frequency, cpu.features, step: plan.step,
            mapped: text?.mapped ?? 0)
        tellVCPU(0, clock, memory)
        phases.end("load", at: Clock.monotonic())

        let processors = try fromKVM(try Processors(configuration.cpus, root: state.cr3))
        let devices = try GuestDevices.open(configuration, source, console, memory, vm)
        try fromKVM(try vcpu.load(state, cpu))
        platform = Platform(
            memory: memory, layout: guest.layout, console: console, clock: clock, control: control,
            quiet: configuration.quiet, takesSnapshots: configuration.snapshot != nil, isMapped: text != nil,
            store: store, growth: plan.limit == 0 ? nil : Growth(plan, vm.slots, after: slots, store: store),
            devices: devices, processors: processors)
        others = try makeOthers(vm, kvm, state, cpu, platform, observer)
        self.vcpu = try VCPUThread(RunLoop(vcpu: vcpu, context: VCPUContext(platform), observer: observer))
        self.vm = vm
        origin = Origin(stamp: source.stamp, features: cpu.features, savedBy: configuration)
        self.guest = .ringThree(guest)
        self.source = consume source
        phases.end("vcpu", at: Clock.monotonic())
    }

    /// From parts: of another protocol (Hvt/HvtMachine.swift), or brought to where another machine was
    /// (Snapshot/Restoring.swift).
    package init(
        _ configuration: Configuration, _ guest: Guest, _ origin: Origin, vm: consuming VM, platform: Platform,
        loop: consuming sending RunLoop, slots: SlotTotals, source: consuming ImageFile? = nil,
        others: [VCPUThread] = []
    ) throws(MachineError) {
        vcpu = try VCPUThread(loop)
        self.others = others
        (self.configuration, self.guest, self.origin, self.platform) = (configuration, guest, origin, platform)
        self.vm = vm
        self.source = source
        (text, self.slots) = (nil, slots)
    }

    /// Nil when nobody watches. The symbols are read only when they are needed.
    static func observer(
        _ configuration: Configuration, _ symbols: @autoclosure () -> SymbolTable
    ) throws(MachineError) -> Observer? {
        let wanted = configuration.observation
        if wanted.isNothing { return nil }
        var observer = try fromHost(
            try Observer(wanted, title: "swiftlet run \(configuration.image)", vcpus: configuration.cpus))
        if wanted.needsSymbols { observer.symbols = symbols() }
        return observer
    }

    /// A machine larger than the host's memory would only die of it later; a file may be larger.
    package static func reserve(
        _ layout: Layout, _ plan: GrowthPlan? = nil, _ backing: Backing = .anonymous
    ) throws(MachineError) -> GuestMemory {
        let (size, host) = (layout.memorySize, Processor.memorySize())
        if size > host, backing.path == nil { throw .memoryBeyondHost(given: size, host: host) }
        return try fromMemory(
            try GuestMemory(low: layout.low, high: plan?.high(layout.high) ?? layout.high, limit: plan?.limit ?? 0))
    }

    /// Slot 0: the machine's own pages, read-only. Slots 1 and 2: memory below and above the hole under 4 GiB.
    package static func addSlots(_ vm: borrowing VM, _ memory: borrowing GuestMemory) throws(KVMError) {
        try vm.slots.add(0, AddressMap.machine, of: memory, .readOnly)
        try vm.slots.add(1, memory.low, of: memory)
        try vm.slots.add(2, memory.high, of: memory)
    }

    private static func fill(
        _ memory: borrowing GuestMemory, _ configuration: Configuration, _ source: borrowing ImageFile,
        _ guest: RingThree, _ module: borrowing ModuleFile, _ frequency: UInt64, _ features: swiftlet_cpu_features,
        step: UInt64, mapped: UInt32
    ) throws(MachineError) -> CPUState {
        try module.load(into: memory, at: guest.layout.module.lowerBound)
        var parameters = BootParameters(
            commandLine: configuration.commandLine, moduleSize: module.size, tscFrequency: frequency,
            features: features,
            seed: try fromHost(try randomSeed()))
        (parameters.mapped, parameters.vcpus) = (mapped, configuration.cpus)
        parameters.growth = (configuration.memoryMaximum ?? 0, step)
        return try fromImage(source.path, try guest.install(source.image, in: memory, parameters))
    }
}

extension MemorySlots {
    /// A slot of guest memory at its own address; an empty one is none.
    func add(
        _ index: UInt32, _ range: Range<UInt64>, of memory: borrowing GuestMemory, _ flags: MemorySlot.Flags = []
    ) throws(KVMError) {
        if range.isEmpty { return }
        try set(
            MemorySlot(
                index: index, guestAddress: range.lowerBound, size: range.upperBound - range.lowerBound,
                hostAddress: memory.hostBase + UInt(range.lowerBound), flags: flags))
    }
}

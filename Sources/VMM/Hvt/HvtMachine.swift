// A machine for an hvt unikernel: one memory slot from 0 up, no interrupt controller, one vCPU in ring 0.
//
// The order is Machine.swift's. What an hvt guest cannot have (growth, a module, snapshots) is refused in words.
// Read next: RingZero.swift, HvtRunLoop.swift.

import Backing
import Boot
import CABI
import GuestMemory
import Host
import KVM
import Observe
import X86

extension Machine {
    convenience init(
        hvt source: consuming ImageFile, _ configuration: Configuration, console: Console, phases: inout Phases
    ) throws(MachineError) {
        try refuseForHvt(configuration)
        let (manifest, devices) = try fromSolo5(
            source.path, try attachDevices(configuration.devices, source.image.hvtManifest, image: source.path))
        let guest = try fromImage(
            source.path, try HvtGuest(source.image, memorySize: configuration.memorySize, manifest: manifest))
        tellRounding(configuration)
        let observer = try Self.observer(configuration, SymbolTable(source.image, bias: 0))
        let monitor = try hvtMonitor(guest, configuration)
        phases.end("image", at: Clock.monotonic())

        // More than the host has is no mistake here: Solo5's users give every unikernel the most there is.
        let memory = try fromMemory(try GuestMemory(low: guest.layout.low))
        let store = try fromBacking(try MemoryStore.open(configuration.backing, for: memory))
        if store == nil { useSmallPages(memory, guest) }
        let kvm = try fromKVM(try KVM())
        try fromKVM(try kvm.require())
        let vm = try fromKVM(try kvm.makeVM())
        let monitorSlot = monitor?.slot(index: 1)
        let far = monitorSlot == nil ? guest.memorySize..<guest.memorySize : guest.farHeap
        var slots = SlotTotals()
        (slots.count, slots.bytes) = (far.isEmpty ? 1 : 2, guest.memorySize - UInt64(far.count))
        slots.nanoseconds = Clock.monotonic()
        try fromKVM(try vm.slots.add(0, 0..<far.lowerBound, of: memory))
        try fromKVM(try vm.slots.add(2, far.upperBound..<guest.memorySize, of: memory))
        slots.nanoseconds = Clock.monotonic() - slots.nanoseconds
        if let slot = monitorSlot {
            try fromKVM(try vm.set(slot))
            // A vCPU is made faster with a local APIC in the kernel. HLT never gets to it from ring 3.
            if guest.memorySize <= AddressMap.localAPIC & ~0xff_ffff { try fromKVM(try vm.enableSplitIRQChip()) }
        }
        let vcpu = try fromKVM(try vm.makeVCPU(mappingSize: kvm.vcpuMappingSize()))
        let clock = try fromKVM(try MachineClock(vcpu))
        let control = try fromKVM(try StopControl())
        let rings = guest.ring.isEmpty ? nil : try fromKVM(try GuestDevices([], doorbells: vm.doorbells))
        phases.end("vm", at: Clock.monotonic())

        let state = try fromImage(
            source.path,
            try guest.install(
                source.image, in: memory, commandLine: configuration.commandLine, tscFrequency: clock.frequency))
        phases.end("load", at: Clock.monotonic())

        let deprivileged = try loadHvt(vcpu, state, monitor, guest, configuration.ring, kvm)
        if deprivileged == nil { try fromHost(try protect(guest, memory)) }
        let platform = Platform(
            memory: memory, layout: guest.layout, console: console, clock: clock, control: control,
            quiet: configuration.quiet, store: store,
            hvt: Hvt(guest, devices: devices, program: configuration.program, slots: vm.slots), devices: rings)
        let origin = Origin(stamp: source.stamp, features: swiftlet_cpu_features(), savedBy: configuration)
        var loop = RunLoop(vcpu: vcpu, context: VCPUContext(platform), observer: observer)
        loop.deprivileged = consume deprivileged
        try self.init(
            configuration, .hvt(guest), origin, vm: vm, platform: platform, loop: loop, slots: slots, source: source)
        phases.end("vcpu", at: Clock.monotonic())
    }
}

extension Machine {
    /// Whether the guest is an hvt unikernel.
    public var isHvt: Bool { platform.hvt != nil }
    /// Whether the guest may have disks, networks or rings: what the image declares counts too, a console for instance.
    public var mayHaveDevices: Bool { isHvt || platform.kernel != nil || platform.devices != nil }
}

private func fromSolo5<T>(_ path: String, _ body: @autoclosure () throws(Solo5Error) -> T) throws(MachineError) -> T {
    do throws(Solo5Error) { return try body() } catch { throw .image(path, .solo5(error)) }
}

/// Options that are about Swiftlet's own guests.
private func refuseForHvt(_ configuration: Configuration) throws(MachineError) {
    func refuse(_ option: String, _ isGiven: Bool) throws(MachineError) {
        if isGiven { throw .image(configuration.image, .solo5(.option(option))) }
    }
    try refuse("--cpus", configuration.cpus > 1)
    try refuse("--mem-max", configuration.memoryMaximum != nil)
    try refuse("--module", configuration.module != nil)
    try refuse("--map-image", configuration.mapsImage)
    try refuse("--prefault", configuration.prefaultThreads != nil)
    try refuse("--snapshot", configuration.snapshot != nil)
}

/// As the stock tender does: a script that asks for an odd number of MiB goes on, and its user knows.
private func tellRounding(_ configuration: Configuration) {
    let size = HvtGuest.rounded(configuration.memorySize)
    if configuration.quiet || size == configuration.memorySize { return }
    writeText(
        "\(configuration.program): --mem: a unikernel's memory is a multiple of 2 MiB: it gets \(size >> 20) MiB\n")
}

/// Image and stack, of which a unikernel touches a few pages; the heap between them stays in huge pages.
private func useSmallPages(_ memory: borrowing GuestMemory, _ guest: HvtGuest) {
    let huge = AddressMap.hugePageSize
    let image = huge..<min((guest.layout.image.upperBound + huge - 1) & ~(huge - 1), guest.memorySize)
    memory.useSmallPages(image)
    memory.useSmallPages(max(image.upperBound, guest.memorySize - huge)..<guest.memorySize)
}

/// Pages of code and constants: a write to them ends the machine. In ring 3 the monitor's tables see to that.
func protect(_ guest: HvtGuest, _ memory: borrowing GuestMemory) throws(HostError) {
    for segment in guest.segments where segment.isConstant {
        let failure = memory.makeReadOnly(segment.pages)
        if failure != 0 { throw HostError("mprotect", "guest memory", errno: failure) }
    }
}

// A machine from a snapshot: its memory is the file, mapped copy-on-write, and its vCPU goes on where the other stood.
//
// In the order of Machine.init, so that KVM's cost is the same. Of a chain the oldest file is mapped first, and each newer one
// over it. What differs from the saved guest, it is told: the clock's
// page, the count of restores, fresh entropy (docs/ABI.md). Read next: Running.swift.

import Backing
import Boot
import CABI
import CSnapshot
import GuestMemory
import Host
import KVM
import Observe
import VMM
import X86

extension Snapshot {
    /// Room for its memory, as much as the guest had in the end.
    func reserve() throws(SnapshotError) -> GuestMemory {
        let (low, high) = memory
        return try snapshotMachine(try fromMemory(try GuestMemory(low: low, high: high)))
    }

    /// Puts the file's memory under guest memory, which is new and has the saved machine's size.
    package func map(into memory: borrowing GuestMemory) throws(SnapshotError) {
        try parent?.snapshot.map(into: memory)
        try extents.forEachRun { run throws(SnapshotError) in
            // Sound: `makeSense` has checked address and size against the machine's memory, offset against the file.
            let place = memory.hostBase + UInt(run.address)
            let isZero = run.offset == 0
            let result =
                isZero ? csnapshot_map_zeros(place, run.size) : csnapshot_map(place, run.size, file.fd, run.offset)
            if result < 0 { throw .host(HostError("mmap", path, errno: Int32(-result))) }
        }
    }

    /// How far memory may still grow; nil when it may not.
    func growthPlan() throws(SnapshotError) -> GrowthPlan? {
        guard let growth else { return nil }
        do throws(BackingError) {
            var plan = try GrowthPlan(size: memorySize, maximum: growth.maximum)
            plan.step = growth.step  // which the guest was told
            return plan
        } catch {
            throw .unsupported(
                "\(path): the guest may ask for \(growth.maximum >> 20) MiB, more than this host's CPU can address")
        }
    }

    /// Which of memory lies in a file, for whoever saves it again.
    var table: any AnyObject & Sendable { parent == nil ? extents.bytes : ChainTables(tables) }

    /// What watches the run, if something shall.
    func observer(_ configuration: Configuration) throws(SnapshotError) -> Observer? {
        let wanted = configuration.observation
        if wanted.isNothing { return nil }
        var observer = try snapshotIO(try Observer(wanted, title: "swiftlet restore \(path)", vcpus: vcpuCount))
        if wanted.needsSymbols {
            observer.symbols = SymbolTable(imageAt: image, stamp, bias: machine.bias)
        }
        return observer
    }

    var stamp: FileStamp { FileStamp(size: machine.image_size, modified: machine.image_modified) }

    /// The longest range of memory that the file holds without a gap.
    package var longestRange: Range<UInt64> {
        var longest: Range<UInt64> = 0..<0
        extents.forEachRun { run in
            if run.offset != 0, run.size > UInt64(longest.count) { longest = run.address..<run.address + run.size }
        }
        return longest
    }

    /// What the guest was told of its CPU.
    var features: swiftlet_cpu_features {
        let words = machine.features
        return swiftlet_cpu_features(
            leaf1_ecx: words.0, leaf1_edx: words.1, leaf7_ebx: words.2, leaf7_ecx: words.3, leaf7_edx: words.4,
            leaf80000001_ecx: words.5, leaf80000001_edx: words.6, reserved: 0, xcr0: machine.xcr0)
    }

    var layout: Layout {
        Layout(
            memorySize: machine.memory_size, image: machine.image_start..<machine.image_end,
            stack: machine.stack_start..<machine.stack_end, tables: machine.tables_start..<machine.tables_end,
            module: machine.module_start..<machine.module_end)
    }
}

extension Machine {
    /// Builds everything up to the guest's next instruction. Image and memory size are the snapshot's, whatever
    /// `configuration` says; the file must stay as long as the machine does.
    public convenience init(
        restoring snapshot: borrowing Snapshot, _ configuration: Configuration, console: Console, phases: inout Phases
    ) throws(SnapshotError) {
        var configuration = configuration
        (configuration.image, configuration.memorySize) = (snapshot.image, snapshot.memorySize)
        configuration.memoryMaximum = snapshot.growth?.maximum
        configuration.cpus = snapshot.vcpuCount
        let saved = snapshot.machine
        let layout = snapshot.layout
        try snapshot.checkHost(GuestCPU().features)
        let observer = try snapshot.observer(configuration)
        let plan = try snapshot.growthPlan()
        let memory = try snapshotMachine(try Machine.reserve(layout, plan))
        if plan != nil { memory.grow(to: snapshot.memory.high.upperBound) }
        try snapshot.map(into: memory)
        phases.end("map", at: Clock.monotonic())

        let kvm = try snapshotKVM(try KVM())
        try snapshotKVM(try kvm.require())
        let vm = try snapshotKVM(try kvm.makeVM())
        let slotStart = Clock.monotonic()
        try snapshotKVM(try Machine.addSlots(vm, memory))
        let slots = SlotTotals(memory, since: slotStart)
        try snapshotKVM(try vm.enableSplitIRQChip())
        let vcpu = try snapshotKVM(try vm.makeVCPU(mappingSize: kvm.vcpuMappingSize()))
        let control = try snapshotKVM(try StopControl())
        phases.end("vm", at: Clock.monotonic())

        try snapshotKVM(try vcpu.load(snapshot.vcpu))
        if saved.waiting_vector != 0 { try snapshotKVM(try vcpu.interrupt(vector: UInt8(saved.waiting_vector))) }
        let clock = try snapshotKVM(try MachineClock(vcpu, startingAt: saved.clock))
        try snapshotIO(try tellGuest(memory, clock, life: 1))
        let platform = Platform(
            memory: memory, layout: layout, console: console, clock: clock, control: control,
            quiet: configuration.quiet,
            takesSnapshots: configuration.snapshot != nil, isMapped: true,
            growth: plan.map { Growth($0, vm.slots, after: slots) }, processors: try snapshot.processors())
        let others = try snapshot.makeOthers(vm, kvm, platform, observer)
        var context = VCPUContext(platform)
        context.timer.deadline = saved.timer_deadline
        context.timer.vector = UInt8(truncatingIfNeeded: saved.timer_vector)
        context.handled.words = [saved.handled.0, saved.handled.1, saved.handled.2, saved.handled.3]
        let loop = RunLoop(vcpu: vcpu, context: context, observer: observer)
        let origin = Origin(
            stamp: snapshot.stamp, features: snapshot.features, table: snapshot.table, savedBy: configuration)
        let guest = Guest.ringThree(RingThree(layout: layout, bias: saved.bias))
        do throws(MachineError) {
            try self.init(
                configuration, guest, origin, vm: vm, platform: platform, loop: loop, slots: slots, others: others)
        } catch { throw .machine(error) }
        phases.end("vcpu", at: Clock.monotonic())
    }
}

/// The tables of a chain, the newest first.
final class ChainTables: Sendable {
    let list: [Extents]
    init(_ list: [Extents]) { self.list = list }
}

/// What a guest may want to know of its restore, in its call page, which is as the snapshot has it. `life` counts from 1.
func tellGuest(
    _ memory: borrowing GuestMemory, _ clock: MachineClock, vcpu: Int = 0, clone: UInt32 = 0, of clones: UInt32 = 0,
    life: UInt32
) throws(HostError) {
    let page = AddressMap.callPage(vcpu: vcpu)
    let clockPage = GuestAddress(page + UInt64(SWIFTLET_CALL_PAGE_CLOCK))
    var words = clock.page
    // Even, and another than before: who reads the clock just now reads it again (pvclock).
    words.version = ((memory.read(clockPage, as: swiftlet_clock.self)?.version ?? 0) | 1) &+ 1
    memory.write(words, at: clockPage)
    let generation = GuestAddress(page + UInt64(SWIFTLET_CALL_PAGE_GENERATION))
    memory.write((memory.read(generation, as: UInt32.self) ?? 0) &+ life, at: generation)
    memory.write(clone, at: GuestAddress(page + UInt64(SWIFTLET_CALL_PAGE_CLONE)))
    memory.write(clones, at: GuestAddress(page + UInt64(SWIFTLET_CALL_PAGE_CLONES)))
    memory.write(try randomSeed(), at: GuestAddress(page + UInt64(SWIFTLET_CALL_PAGE_ENTROPY)))
}

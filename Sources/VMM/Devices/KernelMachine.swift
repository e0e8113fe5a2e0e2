// A machine for a kernel that was made for the bare CPU: memory from 0 up, vCPUs in ring 0, and where its protocol
// expects them interrupt controllers and a timer, which are KVM's own.
//
// The order is Machine.swift's; the task state address lies where no memory is. Read next: KernelRegisters.swift.

import Backing
import Boot
import CABI
import Deprivileged
import GuestMemory
import Host
import KVM
import Observe
import X86

/// Below the local APIC, in the hole under 4 GiB (three pages; KVM API, section 4.13).
private let taskStateAddress: UInt64 = 0xfffb_d000

extension Machine {
    convenience init(
        kernel source: consuming KernelFile, _ configuration: Configuration, console: Console, phases: inout Phases
    ) throws(MachineError) {
        try refuseForKernel(configuration, source.image)
        let method = try source.method(configuration.kernel)
        // A vCPU that is not the first starts by a message between local APICs.
        let hasInterrupts =
            method.expectsInterrupts || configuration.kernel.hasInterrupts || configuration.cpus > 1
        let bus = try VirtioBus(configuration, console, hasInterrupts: hasInterrupts)
        let modules = try KernelModules(configuration, bus)
        let (path, image, stamp) = (source.path, source.image, source.stamp)
        let firmware = try FirmwareConfiguration(
            configuration.kernel.firmwareItems, commandLine: modules.wishes.commandLine,
            memorySize: configuration.memorySize, cpus: configuration.cpus)
        let plan = try fromImage(
            path, try KernelPlan(image, method, memorySize: configuration.memorySize, modules.wishes))
        let observer = try Self.observer(
            configuration, SymbolTable { add in image.forEachSymbol { add($0, $1, guestText(Array($2.utf8))) } })
        phases.end("image", at: Clock.monotonic())

        let memory = try Self.reserve(plan.layout, nil, configuration.backing)
        let store = try fromBacking(try MemoryStore.open(configuration.backing, for: memory))
        let kvm = try fromKVM(try KVM())
        try fromKVM(try kvm.require())
        let vm = try fromKVM(try kvm.makeVM())
        let slotStart = Clock.monotonic()
        try fromKVM(try vm.slots.add(0, memory.low, of: memory))
        try fromKVM(try vm.slots.add(1, memory.high, of: memory))
        var slots = SlotTotals(memory, since: slotStart)
        (slots.count, slots.bytes) = (memory.high.isEmpty ? 1 : 2, configuration.memorySize)
        vm.setTaskStateAddress(taskStateAddress)
        let lines = hasInterrupts ? try fromKVM(try vm.makeInterruptControllers()) : nil
        let vcpu = try fromKVM(try vm.makeVCPU(mappingSize: kvm.vcpuMappingSize()))
        let clock = try fromKVM(try MachineClock(vcpu))
        let control = try fromKVM(try StopControl())
        phases.end("vm", at: Clock.monotonic())

        try fromImage(path, try plan.install(image, in: memory))
        try modules.load(plan, into: memory)
        phases.end("load", at: Clock.monotonic())

        let cpuid = try KernelCPUID(
            configuration, supported: fromKVM(try kvm.supportedCPUID()), frequency: clock.frequency,
            hasInterrupts: hasInterrupts)
        try fromKVM(try vcpu.load(plan.state, cpuid.table(cpu: 0)))
        if cpuid.hidesKVM { vcpu.hideUnlistedFeatures() }
        if cpuid.identity == .xen { _ = vm.interceptXenCalls(msr: Xen.register) }
        if let registers = cpuid.identity.registers { try fromKVM(try vm.leaveToUser(msrs: registers)) }
        let input = try fromKVM(try SerialInput())
        bus.connect(vm.doorbells, lines)
        let ports = KernelPorts(
            firmware, test: configuration.kernel.hasTestDevice ? TestDevice() : nil,
            vendor: try VendorServices(cpuid.identity, try MachineFacts(configuration, clock)))
        let kernel = Kernel(plan, source, lines, input, bus, ports, vm.coalescedPort(SerialPort.base))
        let platform = Platform(
            memory: memory, layout: plan.layout, console: console, clock: clock, control: control,
            quiet: configuration.quiet, store: store, kernel: kernel,
            processors: try fromKVM(try Processors(configuration.cpus)))
        let others = try makeOtherKernelCPUs(vm, kvm, cpuid, platform, observer)
        let origin = Origin(stamp: stamp, features: swiftlet_cpu_features(), savedBy: configuration)
        let loop = RunLoop(vcpu: vcpu, context: VCPUContext(platform), observer: observer)
        try self.init(
            configuration, .kernel(plan), origin, vm: vm, platform: platform, loop: loop, slots: slots, others: others)
        phases.end("vcpu", at: Clock.monotonic())
        if !configuration.quiet, Ring.hostEmulatesRingZero {
            writeText("swiftlet: ring 0 is emulated on this host: about 1.4 million instructions a second\n")
        }
    }
}

/// Options that are about Swiftlet's own guests and unikernels.
private func refuseForKernel(_ configuration: Configuration, _ image: KernelImage) throws(MachineError) {
    func refuse(_ option: String, _ isGiven: Bool) throws(MachineError) {
        if isGiven { throw .image(configuration.image, .boot(.option(option))) }
    }
    try refuse("--mem-max", configuration.memoryMaximum != nil)
    try refuse("--map-image", configuration.mapsImage)
    try refuse("--prefault", configuration.prefaultThreads != nil)
    try refuse("--snapshot", configuration.snapshot != nil)
    try refuse("--ring 3", configuration.ring == .three)
    // gdb takes no core of 64 bits for a program of 32.
    try refuse("--core", configuration.core != nil && image.is32Bit)
}

// The test rig: a throw-away machine that runs a few bytes of code, to learn what this host's KVM does with them, and how
// fast.
//
// Not a guest: no calls, no console, no thread of its own. A KVM may spin for ever in KVM_RUN, so each rig has a time
// limit: a timer kicks its vCPU out. `swiftlet doctor` and `swiftlet bench` measure with it. Read next: RoundTrips.swift.

import Glibc
public import GuestMemory
import Host
public import KVM
public import VMM
import X86

/// Why a rig learned nothing.
public enum RigError: Error, Sendable {
    case machine(MachineError)
    /// The guest made no exit within the limit.
    case timedOut
    /// `KVM_RUN` failed.
    case failed(KVMError)
    /// An exit that the code does not make.
    case unexpected(Exit)
}

/// One vCPU, some memory, and code that is entered at its first byte. All calls belong to one thread.
public struct Rig: ~Copyable {
    public let vcpu: VCPU
    public let vm: VM
    public let memory: GuestMemory
    /// Hz, of the guest's TSC.
    public let tscFrequency: UInt64
    private let timer: KickTimer

    public init(_ kvm: borrowing KVM, _ plan: RigPlan) throws(RigError) {
        do throws(MachineError) {
            let memory = try fromMemory(try GuestMemory(low: 0..<max(plan.memorySize, RigMap.smallestMemory)))
            let vm = try fromKVM(try kvm.makeVM())
            try fromKVM(try vm.prepareDirtyLog(plan))
            try fromKVM(try Self.addSlots(vm, memory))
            for slot in plan.slots { try fromKVM(try vm.set(slot)) }
            try fromKVM(try vm.enable(plan.irqchip))
            let vcpu = try fromKVM(try vm.makeVCPU(mappingSize: kvm.vcpuMappingSize()))
            if !plan.usesHugePages { memory.useSmallPages() }
            plan.writeTables(memory)
            memory.write(bytes: plan.code, at: GuestAddress(RigMap.code))
            try fromKVM(try vcpu.load(plan))
            try? vcpu.setTSCOffset(0)  // an older kernel: RoundTrips then sees that the clocks differ
            try fromHost(try Thread.installKick())
            let frequency = try fromKVM(try vcpu.tscKilohertz())
            timer = try fromHost(try KickTimer())
            tscFrequency = UInt64(frequency) * 1000
            self.vcpu = vcpu
            self.vm = vm
            self.memory = memory
        } catch { throw .machine(error) }
    }

    deinit { Thread.setKickByte(address: 0) }

    private static func addSlots(_ vm: borrowing VM, _ memory: borrowing GuestMemory) throws(KVMError) {
        let parts = [0..<RigMap.hole.lowerBound, RigMap.hole.upperBound..<memory.low.upperBound]
        for (index, part) in parts.enumerated() {
            try vm.set(
                MemorySlot(
                    index: UInt32(index), guestAddress: part.lowerBound, size: part.upperBound - part.lowerBound,
                    hostAddress: memory.hostBase + UInt(part.lowerBound)))
        }
    }

    /// From now on all runs together may take this long. Call it first.
    public func limit(nanoseconds: UInt64) {
        Thread.setKickByte(address: vcpu.kickByteAddress)
        vcpu.immediateExit = false
        timer.arm(nanoseconds: nanoseconds)
    }

    /// Of the guest's TSC.
    public func nanoseconds(_ cycles: UInt64) -> Double { Double(cycles) * 1e9 / Double(tscFrequency) }

    /// Runs to the next exit.
    @inline(__always)
    public func run() throws(RigError) -> Exit {
        let error = vcpu.run()
        if error != 0 { try retry(error) }
        return vcpu.exit
    }

    @inline(never)
    private func retry(_ error: Int32) throws(RigError) {
        let deadline = Clock.monotonic() + 1_000_000_000  // a KVM without its worker thread says EAGAIN for ever
        var error = error
        while error != 0 {
            switch error {
            case EINTR where vcpu.immediateExit: throw .timedOut
            case EINTR: break
            case EAGAIN where Clock.monotonic() < deadline: break
            default: throw .failed(KVMError("KVM_RUN", errno: error))
            }
            error = vcpu.run()
        }
    }
}

extension VM {
    /// Both belong before what they are about: rings before vCPUs, protection before logging.
    fileprivate func prepareDirtyLog(_ plan: RigPlan) throws(KVMError) {
        if plan.dirtyRing > 0 { try enableDirtyRing(bytes: plan.dirtyRing) }
        if let protection = plan.dirtyLogProtection { try setDirtyLogProtection(protection) }
    }

    fileprivate func enable(_ irqchip: IRQChip) throws(KVMError) {
        switch irqchip {
        case .none: break
        case .split: try enableSplitIRQChip()
        case .full: try makeIRQChip()
        }
    }
}

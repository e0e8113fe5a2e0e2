// The run loop of a kernel for the bare CPU: RunLoop.swift's stops, with ports of a PC at the end of an exit's way.
//
// A loop of its own, always in the watched form, as hvt's. Two things come by kicks of the vCPU: what was typed, and a
// timer, which has output written that no line end has, finds a kernel that has halted for good, and is a vendor's timer, too.
// Read next: KernelPorts.swift.

import Boot
import CKVM
import Deprivileged
import Glibc
import GuestMemory
import Host
import KVM
import X86

/// Nanoseconds that output waits for the rest of its line, and between two looks at whether the kernel has halted.
private let outputPatience: UInt64 = 5_000_000
private let haltPeriod: UInt64 = 100_000_000
/// And between two looks at a ring that nobody would empty when there are no exits.
private let ringPeriod: UInt64 = 20_000_000

extension RunLoop {
    /// Runs the kernel with its keyboard's thread beside it.
    mutating func runKernel(_ kernel: Kernel) -> Stop {
        do throws(HostError) {
            try context.timer.arm(nanoseconds: period(kernel))
            let thread =
                context.index == 0 ? try kernel.input.start(kernel.bus.serialConsole(context.platform.console)) : nil
            let stop = watchedRun { loop, error in loop.handleKernel(error, kernel) }
            let ending = withPorts(kernel) { loop in
                loop.takeCoalesced(kernel)
                kernel.strangers.store(loop.ports?.strangers ?? 0, ordering: .relaxed)
                let unwritten = loop.writeOutput()
                let ending = kernel.bus.ending(stop)
                if case .exited = ending { return unwritten ?? ending }
                return ending  // a crash says more than a console that is gone
            }
            if let thread { kernel.input.stop(thread) }
            return ending
        } catch { return .hostFailed("making a thread", errno: error.errno) }
    }

    /// Handles something with the devices in hand, which one vCPU has at a time.
    private mutating func withPorts<R: Sendable>(_ kernel: Kernel, _ body: (inout RunLoop) -> R) -> R {
        kernel.ports.withLock { shared in
            swap(&ports, &shared)
            defer { swap(&ports, &shared) }
            return body(&self)
        }
    }

    /// From KVM_RUN's return to the next entry; nil to go on. Virtio devices have locks of their own: who waits for a disk
    /// keeps nobody from the ports.
    private mutating func handleKernel(_ error: Int32, _ kernel: Kernel) -> Stop? {
        if error == 0 {
            switch vcpu.exit {
            case .mmioRead(let address, let size):
                guard let value = kernel.bus.read(address, size: Int(size)) else { break }
                vcpu.answerMemoryRead(value)
                return nil
            case .mmioWrite(let address, let size, let value):
                guard let slot = kernel.bus.slot(address) else { break }
                return slot.write(address, size: Int(size), value, kernel.bus, context.platform)
            default: break
            }
        }
        if error == EAGAIN, isHeldBack { return holdBack(kernel) }
        return withPorts(kernel) { $0.handlePorts(error, kernel) }
    }

    /// Whether this vCPU still waits to be started, and KVM does not let it wait: there is an NMI for it, which a CPU in this
    /// state holds back (Intel SDM vol. 3A, 9.4.4 and table 26-7's wait-for-SIPI).
    private var isHeldBack: Bool { context.index > 0 && !vcpu.isRunnable }

    /// Waits in KVM's place.
    private mutating func holdBack(_ kernel: Kernel) -> Stop? {
        let control = context.platform.control
        _ = wait(for: WaitFor(control.event.fd), nanoseconds: 1_000_000)
        return control.requested ?? withPorts(kernel) { $0.kicked(kernel) }
    }

    /// What belongs to no virtio device.
    private mutating func handlePorts(_ error: Int32, _ kernel: Kernel) -> Stop? {
        takeCoalesced(kernel)
        if error == EINTR { return didNotRun(error) ?? kicked(kernel) }
        if error != 0 { return didNotRun(error) }
        let exit = vcpu.exit
        if answerVendor(exit) { return portAccessed(kernel) }
        switch exit {
        case .portWrite(let port, let size, let count, _):
            for index in 0..<Int(count) { ports?.write(port, size: size, vcpu.portItem(index, size: size)) }
            return portAccessed(kernel)
        case .portRead(let port, let size, let count):
            for index in 0..<Int(count) {
                vcpu.answerPortItem(index, size: size, ports?.read(port, size: size) ?? .max)
            }
            return portAccessed(kernel)
        case .mmioRead: vcpu.answerMemoryRead(ports?.readMemory() ?? .max)
        case .mmioWrite: ports?.writeMemory()
        case .halt: return halted()
        case .other(CKVM_EXIT_SET_TPR), .interrupted: break
        case .internalError where isAtReset: return .exited(status: 0)
        case let exit:
            _ = context.unexpected(exit)
            return stopped()
        }
        return nil
    }

    private mutating func portAccessed(_ kernel: Kernel) -> Stop? {
        if let ending = ports?.ending { return ending }
        guard let serial = ports?.serial else { return nil }
        chooseCoalescing(kernel, serial)
        if serial.hasLine {
            if let stop = writeOutput() { return stop }
        } else if !serial.output.isEmpty, ports?.outputDue == nil {
            ports?.outputDue = Clock.monotonic() + outputPatience
            armTimer(outputPatience)
        }
        if kernel.input.isReady, serial.room == SerialPort.inputCapacity, let stop = takeInput(kernel) { return stop }
        return setTestLines(kernel) ?? setLine(kernel)
    }

    /// Somebody typed, or the timer has come.
    private mutating func kicked(_ kernel: Kernel) -> Stop? {
        if let stop = writeOutput() ?? takeInput(kernel) { return stop }
        if kernel.lines != nil {
            let isParked = !vcpu.takesInterrupts && !vcpu.isRunnable
            // Who halted in a BIOS's place waits for no other CPU.
            if isParked, let call = firmwareCall { return called(call) }
            if context.platform.processors?.park(context.index, isParked) ?? isParked { return .exited(status: 0) }
        }
        runVendorTimer()
        armTimer(period(kernel))
        return nil
    }

    /// When the timer has to come for what is under way: a kernel that sets its own more often puts off no output.
    var nextLook: UInt64? {
        if let due = ports?.outputDue { return due - min(due, Clock.monotonic()) }
        return context.platform.kernel.flatMap { period($0) }
    }

    /// Of the timer; nil when nothing waits for it.
    func period(_ kernel: Kernel) -> UInt64? {
        if ports?.coalescing.isOn == true { return ringPeriod }
        return kernel.lines == nil ? nil : haltPeriod
    }

    private mutating func writeOutput() -> Stop? {
        ports?.outputDue = nil
        guard let output = ports?.serial.output, !output.isEmpty else { return nil }
        let console = context.platform.console
        let end = context.writeAll(UInt64(output.count), to: console) { console.write(output, from: Int($0)) }
        ports?.serial.dropOutput()
        return end.stop
    }

    /// As much as the serial port has room for.
    private mutating func takeInput(_ kernel: Kernel) -> Stop? {
        guard kernel.input.isReady, let room = ports?.serial.room, room > 0 else { return nil }
        var result = ConsoleResult.done(0)
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            var span = unsafe UnsafeMutableRawBufferPointer(buffer).mutableBytes
            result = context.platform.console.read(&span)
            if case .done(let read) = result { count = read }
        }
        switch result {
        case .done(0), .gone:
            kernel.input.end()
            return nil
        case .failed(let errno): return .hostFailed("the console", errno: errno)
        case .done, .interrupted, .notReady: kernel.input.goOn()
        }
        ports?.serial.receive(bytes)
        return setLine(kernel)
    }

    /// Brings the serial port's interrupt line to where it should be.
    private mutating func setLine(_ kernel: Kernel) -> Stop? {
        guard let lines = kernel.lines, let isHigh = ports?.serial.interrupts, isHigh != ports?.isLineHigh else {
            return nil
        }
        ports?.isLineHigh = isHigh
        do throws(KVMError) { try lines.set(SerialPort.line, isHigh) } catch { return .failed(error) }
        return nil
    }

    /// As the test device was told, where there is one.
    private mutating func setTestLines(_ kernel: Kernel) -> Stop? {
        guard let changes = ports?.test?.takeChanges(), let lines = kernel.lines else { return nil }
        do throws(KVMError) { for change in changes { try lines.set(change.line, change.isHigh) } } catch {
            return .failed(error)
        }
        return nil
    }

    /// HLT, and nothing will ever wake the kernel: its end, or a call of a BIOS that is not there.
    private mutating func halted() -> Stop { firmwareCall.map { called($0) } ?? .exited(status: 0) }

    private mutating func called(_ call: FlatImage.FirmwareCall) -> Stop {
        switch call {
        case .reset: return .exited(status: 0)
        case .vector(let vector):
            _ = context.crash(.noFirmware(vector: vector))
            return stopped()
        }
    }

    /// In real mode: what was asked of a BIOS that is not there.
    private var firmwareCall: FlatImage.FirmwareCall? {
        mutating get {
            guard let sregs = try? vcpu.specialRegisters(), sregs.cr0 & CR0.protectedMode == 0 else { return nil }
            return FlatImage.firmwareCall(before: sregs.cs.base &+ vcpu.instructionPointer)
        }
    }

    /// The first instruction of a CPU behind a reset, INIT's too (Intel SDM vol. 3A, 10.1.4), where a PC has its BIOS.
    private var isAtReset: Bool {
        guard let sregs = try? vcpu.specialRegisters(), let registers = try? vcpu.registers() else { return false }
        return sregs.cr0 & CR0.protectedMode == 0 && sregs.cs.base &+ registers.rip == 0xffff_fff0
    }
}

// Xen's hypercalls: from a call's registers to who answers it, and its arguments from guest memory and back.
//
// Number in EAX; arguments in RDI, RSI, RDX, or of 32 bits EBX, ECX, EDX (xen/include/public/arch-x86/xen-x86_64.h, xen-x86_32.h).
// Pointers are linear addresses, so they go through the vCPU's page tables, page by page, and then through the gate. A result is
// a number, or minus an errno of Xen's, which are Linux's (errno.h). Read next: XenServices.swift, XenChannels.swift.

import Glibc
import GuestMemory
import KVM
import X86

/// Who finds the memory behind a linear address: page tables, and in tests whoever stands in for them.
protocol LinearMemory {
    /// Nil: the kernel itself could not do that there.
    func physicalAddress(_ linear: UInt64, to kind: Access.Kind, _ memory: borrowing GuestMemory) -> UInt64?
}

/// KVM_TRANSLATE would say of every page that it may be written (KVM API, 4.54; x86.c, kvm_arch_vcpu_ioctl_translate).
extension PagingState: LinearMemory {
    func physicalAddress(_ linear: UInt64, to kind: Access.Kind, _ memory: borrowing GuestMemory) -> UInt64? {
        let walk = ExplainedWalk(linear, self, memory)
        return walk.fault(of: Access(kind, isUser: false)) == nil ? walk.page?.physical : nil
    }
}

/// What a call does beyond its answer.
enum XenEffect: Equatable {
    enum Reason: Equatable { case powerOff, crash }

    case none
    case print([UInt8])
    case shutdown(Reason)
    /// An interrupt for a processor.
    case upcall(cpu: Int, UInt8)
    /// The calling processor's timer is set.
    case timer
}

/// A call as the registers have it.
struct XenCall {
    enum Number: UInt32 {
        case memory = 12
        case version = 17
        case console = 18
        case processor = 24
        case scheduler = 29
        case channels = 32
        case hvm = 34
    }

    let number: Number?
    /// What of the call's services it is.
    let command: UInt64
    let second: UInt64
    private let third: UInt64
    let isLong: Bool
    let cpu: Int

    init(_ registers: Registers, isLong: Bool, cpu: Int) {
        number = Number(rawValue: UInt32(truncatingIfNeeded: registers.rax))
        func narrow(_ value: UInt64) -> UInt64 { value & 0xffff_ffff }
        (command, second, third) =
            isLong
            ? (narrow(registers.rdi), registers.rsi, registers.rdx)
            : (narrow(registers.rbx), narrow(registers.rcx), narrow(registers.rdx))
        (self.isLong, self.cpu) = (isLong, cpu)
    }

    /// Where its argument lies.
    var pointer: UInt64 { number == .console || number == .processor ? third : second }

    static let longestText: UInt64 = 64 << 10

    /// Bytes of its argument that are read; of a call that is not there, or has none, none.
    var inputSize: Int {
        switch (number, command) {
        case (.memory?, 3), (.memory?, 4): 2
        case (.memory?, 7): isLong ? 24 : 16
        case (.memory?, 9): isLong ? 16 : 8
        case (.version?, 6): 8
        case (.console?, 0): Int(min(second, Self.longestText))
        case (.processor?, 5): 8
        case (.processor?, 8): isLong ? 16 : 12
        case (.processor?, 10): 16
        case (.scheduler?, 2): 4
        case (.channels?, 0...10): [12, 12, 0, 4, 4, 24, 8, 8, 8, 4, 2][Int(command)]
        case (.hvm?, 0...1): 16
        case (.hvm?, 23): 8
        default: 0
        }
    }
}

/// What is said to a call.
struct XenAnswer {
    var result: Int64
    /// Written where the argument was.
    var output: [UInt8] = []
    /// And elsewhere.
    var more: (pointer: UInt64, bytes: [UInt8])?
    var effect = XenEffect.none

    init(_ result: Int64, _ output: [UInt8] = []) { (self.result, self.output) = (result, output) }

    static func failed(_ errno: Int32) -> Self { Self(-Int64(errno)) }
}

extension Xen {
    /// Answers a call in the registers.
    mutating func call(
        _ registers: inout Registers, isLong: Bool, cpu: Int, _ memory: borrowing GuestMemory,
        through pages: some LinearMemory
    ) -> XenEffect {
        let call = XenCall(registers, isLong: isLong, cpu: cpu)
        var answer = XenAnswer.failed(EFAULT)
        if let input = pages.bytes(call.pointer, call.inputSize, memory) { answer = self.answer(call, input, memory) }
        let (pointer, more) = answer.more ?? (0, [])
        if !pages.write(answer.output, call.pointer, memory) || !pages.write(more, pointer, memory) {
            answer = .failed(EFAULT)
        }
        let result = UInt64(bitPattern: answer.result)
        registers.rax = isLong ? result : result & 0xffff_ffff
        return answer.effect
    }

    private mutating func answer(
        _ call: XenCall, _ input: [UInt8], _ memory: borrowing GuestMemory
    ) -> XenAnswer {
        switch call.number {
        case .memory?: memoryCall(call, input, memory)
        case .version?: versionCall(call, input)
        case .console?: consoleCall(call, input)
        case .processor?: processorCall(call, input, memory)
        case .scheduler?: schedulerCall(call, input)
        case .channels?: channelCall(call, input, memory)
        case .hvm?: hvmCall(call, input, memory)
        case nil: .failed(ENOSYS)
        }
    }
}

extension LinearMemory {
    /// Calls `body` for each part of a range that lies in one page, with its place, until it says no.
    private func forEachPage(
        _ linear: UInt64, _ count: Int, to kind: Access.Kind, _ memory: borrowing GuestMemory,
        _ body: (GuestAddress, Range<Int>) -> Bool
    ) -> Bool {
        var done = 0
        while done < count {
            let (address, overflow) = linear.addingReportingOverflow(UInt64(done))
            let part = min(count - done, 4096 - Int(address % 4096))
            guard !overflow, let physical = physicalAddress(address, to: kind, memory) else { return false }
            if !body(GuestAddress(physical), done..<done + part) { return false }
            done += part
        }
        return true
    }

    /// Nil when any of them is no memory.
    fileprivate func bytes(_ linear: UInt64, _ count: Int, _ memory: borrowing GuestMemory) -> [UInt8]? {
        var bytes: [UInt8] = []
        let isAll = forEachPage(linear, count, to: .read, memory) { place, part in
            guard let more = memory.bytes(place, part.count) else { return false }
            bytes += more
            return true
        }
        return isAll ? bytes : nil
    }

    fileprivate func write(_ bytes: [UInt8], _ linear: UInt64, _ memory: borrowing GuestMemory) -> Bool {
        forEachPage(linear, bytes.count, to: .write, memory) { place, part in
            memory.write(bytes: Array(bytes[part]), at: place)
        }
    }
}

extension [UInt8] {
    /// A little-endian number of a struct.
    func field(_ offset: Int, _ size: Int) -> UInt64 {
        self[offset..<offset + size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The same struct with a number of 32 bits in it changed.
    func setting(_ offset: Int, _ value: UInt32) -> [UInt8] {
        var bytes = self
        for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index)) }
        return bytes
    }
}

// A hostile kernel at the services of vendors' hypervisors: any MSRs read and written, hypercalls and the backdoor with any
// registers.
//
// Whatever it does, nothing is written but the page that it has named, no register changes but an answer's, and a page of
// hypercalls is there only for who has said its name. Read next: ../../../Sources/VMM/Identity/HyperV.swift.

import GuestMemory
import ImageBuilder
import KVM
@_spi(InventedExits) import VMM

private let (guestOS, hypercall, vpIndex, timeReference): (UInt32, UInt32, UInt32, UInt32) = (
    0x4000_0000, 0x4000_0001, 0x4000_0002, 0x4000_0020
)
/// Where the registers are, so that mutations find them; the last stands for any register.
private let registers: [UInt32?] = [
    guestOS, hypercall, vpIndex, 0x4000_0003, timeReference, 0x4000_0021, 0x4000_0022, 0x4000_0023, 0x4000_0073, nil,
]
private let (pages, pageSize) = (8, 4096)

private enum Step: UInt8 { case read, write, longCall, shortCall, backdoor }

/// Each step: a byte for what, a byte for the register and the CPU, then numbers.
public func useVendors(_ input: UnsafeBufferPointer<UInt8>) {
    var steps = Steps(input)
    guard var machine = try? InventedVendor(cpus: 2, memorySize: UInt64(pages * pageSize)) else {
        return require(false, "a machine")
    }
    var time: UInt64 = 0
    while !steps.isAtEnd, !machine.ends {
        let step = Step(rawValue: steps.number(UInt8.self) % 5) ?? .read
        let place: UInt8 = steps.number()
        let register = registers[Int(place >> 1) % registers.count] ?? steps.number()
        let cpu = Int(place & 1)
        switch step {
        case .read: readRegister(&machine, register, cpu, &time)
        case .write: writeRegister(&machine, register, steps.number(), cpu)
        case .longCall, .shortCall: callHyperV(machine, &steps, isLong: step == .longCall)
        case .backdoor: callVMware(machine, &steps)
        }
    }
}

private func readRegister(_ machine: inout InventedVendor, _ register: UInt32, _ cpu: Int, _ time: inout UInt64) {
    let value = machine.read(register: register, cpu: cpu)
    require((0x4000_0000...0x4000_0073).contains(register) || value == nil, "nobody's register")
    if register == vpIndex { require(value == UInt64(cpu), "a CPU's number") }
    if register == timeReference, let value {
        require(value >= time, "time goes on")
        time = value
    } else {
        require(value == machine.read(register: register, cpu: cpu), "a read changes nothing")
    }
}

private func writeRegister(_ machine: inout InventedVendor, _ register: UInt32, _ value: UInt64, _ cpu: Int) {
    let before = (machine.memory.bytes(GuestAddress(0), pages * pageSize), machine.read(register: hypercall, cpu: cpu))
    let isTaken = machine.write(register: register, value, cpu: cpu)
    let after = machine.memory.bytes(GuestAddress(0), pages * pageSize)
    if before.0 != after, let before = before.0, let after {
        require(isTaken && value & 1 != 0, "who writes has been asked to")
        for page in 0..<pages where UInt64(page) != value >> 12 {
            let range = page * pageSize..<(page + 1) * pageSize
            require(before[range] == after[range], "no other page than the one that was named")
        }
    }
    let (old, new) = (before.1 ?? 0, machine.read(register: hypercall, cpu: cpu) ?? 0)
    if register == hypercall, new != old, new & 1 != 0 {
        require(machine.read(register: guestOS, cpu: cpu) != 0, "a page for who has said its name")
        require(machine.memory.read(GuestAddress(new & ~0xfff), as: UInt8.self) == 0xe7, "with an OUT")
    }
    if old & 2 != 0, register == hypercall { require(old == new, "a locked page stays") }
}

private func callHyperV(_ machine: borrowing InventedVendor, _ steps: inout Steps, isLong: Bool) {
    let before = anyRegisters(&steps)
    var after = before
    machine.hypercall(&after, isLong: isLong)
    require([0, 2, 3, 4].contains(after.rax), "a status")
    after.rax = before.rax
    if !isLong {
        require(after.rdx == 0, "the upper half of a status")
        after.rdx = before.rdx
    }
    require(words(after) == words(before), "no other register")
}

private func callVMware(_ machine: borrowing InventedVendor, _ steps: inout Steps) {
    let before = anyRegisters(&steps)
    var after = before
    if machine.backdoor(&after) {
        require(UInt32(truncatingIfNeeded: before.rax) == 0x564d_5868, "the number in EAX")
        require(after.rax >> 32 == 0, "32 bits of an answer")
        (after.rax, after.rbx, after.rcx) = (before.rax, before.rbx, before.rcx)
        (after.rdx, after.rsi) = (before.rdx, before.rsi)
    }
    require(words(after) == words(before), "no other register")
}

private func anyRegisters(_ steps: inout Steps) -> Registers {
    var registers = Registers()
    (registers.rax, registers.rbx, registers.rcx) = (steps.number(), steps.number(), steps.number())
    (registers.rdx, registers.rsi, registers.rdi) = (steps.number(), steps.number(), .max)
    (registers.r8, registers.rip, registers.rsp, registers.rflags) = (1, 2, 3, 4)
    return registers
}

private func words(_ registers: Registers) -> [UInt64] {
    [
        registers.rax, registers.rbx, registers.rcx, registers.rdx, registers.rsi, registers.rdi, registers.rsp,
        registers.rbp, registers.r8, registers.r9, registers.r10, registers.r11, registers.r12, registers.r13,
        registers.r14, registers.r15, registers.rip, registers.rflags,
    ]
}

public func identitySeeds() -> [Seed] {
    func step(_ step: Step, _ register: UInt32? = guestOS, cpu: UInt8 = 0, _ numbers: UInt64...) -> [UInt8] {
        let index = UInt8(registers.firstIndex { $0 == register } ?? registers.count - 1)
        var bytes = [step.rawValue, index << 1 | cpu]
        if register == nil || !registers.contains(register) { bytes.append32(register ?? 0x4000_0080) }
        for number in numbers { bytes.append64(number) }
        return bytes
    }
    let name = step(.write, guestOS, 0x8100_0000_0000_0001)
    let page = name + step(.write, hypercall, 0x3001) + step(.read, hypercall)
    let clock = step(.write, 0x4000_0021, 0x5001) + step(.read, timeReference) + step(.read, timeReference, cpu: 1)
    let commands: [UInt64] = [10, 19, 20, 23, 45, 46, 68, 69]
    let backdoor = commands.flatMap { step(.backdoor, guestOS, 0x564d_5868, .max, $0, 0x5658, 0) }
    return [
        ("page", page + step(.write, guestOS, 0) + step(.read, hypercall)),
        ("locked", name + step(.write, hypercall, 0x3003) + step(.write, hypercall, 0)),
        ("nameless", step(.write, hypercall, 0x3001)), ("outside", name + step(.write, hypercall, 0x9001)),
        ("clock", clock), ("far", step(.write, 0x4000_0021, .max)),
        ("numbers", registers.flatMap { step(.read, $0, cpu: 1) }),
        ("assist", step(.write, 0x4000_0073, cpu: 1, 0x5001) + step(.read, 0x4000_0073, cpu: 1)),
        ("reset", step(.write, 0x4000_0003, 0) + step(.write, 0x4000_0003, 1)),
        ("long", step(.longCall, guestOS, 0, 0, 0x1_0008, 0, 0) + step(.longCall, guestOS, 0, 0, 8, 4, 0)),
        ("short", step(.shortCall, guestOS, 0x1_0008, 0, 0, 0, 0) + step(.shortCall, guestOS, 0x5c, 0, 0, 1 << 31, 0)),
        ("backdoor", backdoor), ("nobody", step(.backdoor, guestOS, 1, 0, 10, 0x5658, 0) + step(.write, nil, 7)),
    ]
}

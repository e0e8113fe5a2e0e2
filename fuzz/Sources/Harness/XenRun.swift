// A hostile domain at Xen's hypercalls: any call with any struct, and what lies in the shared page changed behind our back.
//
// Whatever it does, a result is a number or an error of those that Xen has, only RAX changes, and a call that is not there
// writes nothing. Read next: ../../../Sources/VMM/Identity/XenCalls.swift.

import GuestMemory
import ImageBuilder
import KVM
@_spi(InventedExits) import VMM

private let numbers: [UInt32] = [12, 17, 18, 24, 29, 32, 34, 0]
private let (pages, pageSize, cpus) = (8, 4096, 2)
/// EPERM and the others of XenServices and XenChannels.
private let errors: Set<Int64> = [-2, -3, -7, -14, -17, -22, -28, -38, -62]

private enum Step: UInt8 { case call, write, register, timer }

/// Each step: a byte for what, one for the mode and the CPU, then numbers; of a call its number, its command, its pointers, and
/// the struct's six words.
public func useXen(_ input: UnsafeBufferPointer<UInt8>) {
    var steps = Steps(input)
    guard var machine = try? InventedXen(cpus: cpus, memorySize: UInt64(pages * pageSize)) else {
        return require(false, "a machine")
    }
    while !steps.isAtEnd, !machine.ends {
        let step = Step(rawValue: steps.number(UInt8.self) % 4) ?? .call
        let mode: UInt8 = steps.number()
        let (isLong, cpu) = (mode & 1 == 0, Int(mode >> 1 & 1))
        switch step {
        case .call: call(&machine, &steps, isLong: isLong, cpu: cpu)
        case .write:
            let (place, word): (UInt16, UInt32) = (steps.number(), steps.number())
            _ = machine.memory.write(word, at: GuestAddress(UInt64(place)))
        case .register: _ = machine.writeRegister(steps.number())
        case .timer:
            machine.runTimer(cpu: cpu)
            require(machine.remaining(cpu: cpu) != 0, "a timer that was due is no more")
        }
    }
}

private func call(_ machine: inout InventedXen, _ steps: inout Steps, isLong: Bool, cpu: Int) {
    let choice: UInt8 = steps.number()
    let number = choice & 0x80 == 0 ? numbers[Int(choice) % numbers.count] : UInt32(choice)
    let command: UInt8 = steps.number()
    let (second, pointer): (UInt64, UInt64) = (steps.number(), steps.number())
    for index in 0..<6 {
        let word: UInt32 = steps.number()
        guard let place = InventedXen.physical(pointer &+ UInt64(4 * index)) else { continue }
        machine.memory.write(word, at: GuestAddress(place))
    }
    // Where the struct is the second argument, that is the pointer.
    let arguments = number == 18 || number == 24 ? (second, pointer) : (pointer, second)
    var before = Registers()
    (before.rax, before.rip) = (UInt64(number), 1)
    if isLong {
        (before.rdi, before.rsi, before.rdx) = (UInt64(command), arguments.0, arguments.1)
    } else {
        (before.rbx, before.rcx, before.rdx) = (UInt64(command), arguments.0, arguments.1)
    }
    var after = before
    let old = number == 0 ? machine.memory.bytes(GuestAddress(0), pages * pageSize) : nil
    machine.call(&after, isLong: isLong, cpu: cpu)
    let result = isLong ? Int64(bitPattern: after.rax) : Int64(Int32(truncatingIfNeeded: after.rax))
    require(errors.contains(result) || (0...0x7fff_ffff).contains(result), "a result")
    if let old {
        require(result == -38 && machine.memory.bytes(GuestAddress(0), pages * pageSize) == old, "no such call")
    }
    after.rax = before.rax
    require(
        [after.rbx, after.rcx, after.rdx, after.rsi, after.rdi, after.rip]
            == [before.rbx, before.rcx, before.rdx, before.rsi, before.rdi, before.rip], "no other register")
}

public func xenSeeds() -> [Seed] {
    func call(
        _ number: UInt32, _ command: UInt8, _ words: [UInt32], second: UInt64 = 0, pointer: UInt64 = 0x3000,
        mode: UInt8 = 0
    ) -> [UInt8] {
        var bytes = [Step.call.rawValue, mode, UInt8(numbers.firstIndex(of: number) ?? 7), command]
        bytes.append64(second, pointer)
        for index in 0..<6 { bytes.append32(index < words.count ? words[index] : 0) }
        return bytes
    }
    func timer(_ mode: UInt8 = 0) -> [UInt8] { [Step.timer.rawValue, mode] }
    let own: UInt32 = 0x7ff0
    let share = call(12, 7, [own, 0, 0, 0, 4, 0])
    let shareShort = call(12, 7, [own, 0, 0, 4], mode: 1)
    let vector = call(34, 23, [0, 0x30])
    let channel = call(32, 7, [0, 0]) + call(32, 9, [1]) + call(32, 4, [1]) + call(32, 5, [own, 1])
    let pair = call(32, 6, [own | own << 16, 0]) + call(32, 0, [own, 1, 0]) + call(32, 4, [2]) + call(32, 3, [1])
    let clock = call(32, 1, [0, 0, 0]) + call(24, 8, [1, 0, 0, 0]) + timer() + call(24, 9, [])
    let page = [Step.register.rawValue, 0] + [UInt8](repeating: 0, count: 1) + [0x20, 0, 0, 0, 0, 0, 0]
    return [
        ("share", share + vector + channel), ("short", shareShort + vector + channel), ("pair", share + pair),
        ("timer", share + vector + clock), ("map", call(12, 9, [10, 0, 0x5000, 0]) + call(12, 3, [own])),
        ("version", (0...8).flatMap { call(17, $0, [0, 0]) }),
        ("across", call(17, 3, [], pointer: 0x3f00) + call(17, 3, [], pointer: 0x6f00)),
        ("console", call(18, 0, [0x6f6b_6f6b], second: 4) + call(18, 0, [], second: .max) + call(18, 1, [])),
        (
            "info",
            share + call(24, 10, [5, 0, 64, 0]) + call(24, 10, [5, 0, 0, 0], second: 1) + call(24, 5, [0x2000, 0])
        ),
        ("move", share + channel + call(32, 8, [1, 1]) + call(32, 10, [own])),
        ("parameters", call(34, 0, [own, 1, 7, 8]) + call(34, 1, [own, 1]) + call(34, 1, [own, 99])),
        ("end", call(29, 0, []) + call(29, 2, [3])), ("page", page), ("none", call(0, 0, [])),
    ]
}

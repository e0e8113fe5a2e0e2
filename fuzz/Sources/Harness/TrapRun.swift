// A deprivileged guest's life as the input tells it: any instruction at any address with any registers, any exception, any
// word in its memory, descriptor tables among them.
//
// What must hold: it comes back from every trap, with flags of ring 3, whatever it has in its tables.
// Read next: TrapSeeds.swift.

@_spi(InventedTraps) import Deprivileged
import GuestMemory
import KVM

/// Runs a guest.
public func trap(_ input: UnsafeBufferPointer<UInt8>) {
    var steps = Steps(input)
    guard var guest = try? InventedTraps() else { return }
    while !steps.isAtEnd, step(&steps, &guest) {}
}

/// False when the guest has come to its end.
private func step(_ steps: inout Steps, _ guest: inout InventedTraps) -> Bool {
    let kind: UInt8 = steps.number()
    switch kind & 7 {
    case 0:
        let address: UInt32 = steps.number()
        guest.memory.write(steps.number(UInt64.self), at: GuestAddress(UInt64(address)))
    case 1: setRegister(steps.number(), steps.number(), &guest.registers)
    case 2: return goesOn(&guest, vector: Int(steps.number(UInt8.self)), steps.number(), steps.number())
    default:
        // An instruction: as many bytes as the kind's upper half says, and #GP or #UD.
        let code = steps.bytes(Int(kind >> 4))
        guest.memory.write(bytes: code, at: GuestAddress(guest.registers.rip))
        return goesOn(&guest, vector: kind & 8 == 0 ? 13 : 6, 0, 0)
    }
    return true
}

private func goesOn(_ guest: inout InventedTraps, vector: Int, _ code: UInt32, _ address: UInt64) -> Bool {
    let before = guest.registers
    let isResumed = guest.trap(vector: vector, code: UInt64(code), address: address)
    require(!isResumed || guest.isSound, "a guest goes on with flags of ring 3")
    let isWhereItWas = guest.registers.rsp == before.rsp || guest.isOutside || vector > 31
    require(isResumed || isWhereItWas, "the end shows where it was")
    return isResumed
}

private func setRegister(_ number: UInt8, _ value: UInt64, _ registers: inout Registers) {
    switch number & 15 {
    case 0: registers.rax = value
    case 1: registers.rcx = value
    case 2: registers.rdx = value
    case 3: registers.rdi = value
    case 4: registers.rsp = value
    case 5: registers.rbp = value
    case 6: registers.rip = value
    case 7: registers.r12 = value
    case 8: registers.rflags = value
    default: registers.r13 = value
    }
}

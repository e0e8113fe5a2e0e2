// What an observer must know of Swiftlet's machine.
//
// Read next: Observe/ExitKey.swift.

import Boot
import Deprivileged
import GuestMemory
import Host
import KVM
import Observe
import X86

extension Platform: ObservedMachine {
    package func time(at tsc: UInt64) -> UInt64 { clock.time(at: tsc) }

    package func call(_ port: UInt16, size: UInt8, count: UInt32) -> (number: UInt64, name: String)? {
        hvtCall(port, size, count)
            ?? VCPUContext.callNumber(port, size: size, count: count).map { (UInt64($0), callName($0)) }
    }

    package var isStopping: Bool { control.requested != nil }
    package var stopDescriptor: Int32 { control.event.fd }

    package func bytes(at address: UInt64, _ count: Int, root: UInt64) -> [UInt8] {
        GuestView(self, root: root).bytes(at: address, count)
    }

    package func word(at address: UInt64, root: UInt64) -> UInt64? { GuestView(self, root: root).word(at: address) }

    /// Where one IN or OUT stands behind another it may be the wrong of the two.
    package func portInstruction(around rip: UInt64, root: UInt64) -> UInt64 {
        let view = GuestView(self, root: root)
        let isHere = view.bytes(at: rip, 1).first.map { $0 & 0xf4 == 0xe4 } ?? false  // e4-e7, ec-ef
        return isHere ? rip : view.portInstruction(before: rip)
    }
}

extension RunLoop {
    /// Where the guest was when an exception took it to a stub of ours: what the CPU has pushed on the stack for reports.
    var trapOrigin: UInt64? {
        mutating get {
            guard isInOurCode(vcpu.instructionPointer) else { return nil }
            if let origin = deprivileged?.trapOrigin { return origin }
            return context.platform.memory.read(GuestAddress(AddressMap.reportStackTop(vcpu: context.index) - 40))
        }
    }
}

extension SymbolTable {
    /// An image's, as loaded. Names may drive a terminal: they are made fit for one.
    init(_ image: borrowing ELFImage, bias: UInt64) {
        self.init { add in image.forEachSymbol { add($0 &+ bias, $1, guestText(Array($2.utf8))) } }
    }
}

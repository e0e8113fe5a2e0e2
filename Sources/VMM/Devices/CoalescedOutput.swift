// Console output without an exit a byte: KVM keeps what a kernel sends by the serial port in a ring, which is emptied at the
// next exit, at the latest when a timer comes.
//
// So a kernel that sends without asking costs one exit in 170 bytes, and one that looks whether it may send costs one a byte
// instead of two. The ring costs as much as a thousand exits to begin and to end, so it begins behind a thousand bytes. A
// kernel that wants an interrupt when everything is sent could wait for it in vain: that ends the ring, and its next
// beginning is twice as far away. (KVM API, section 4.116.) Read next: KernelPorts.swift.

import KVM

struct Coalescing {
    private(set) var isOn = false
    private var patience: UInt64 = 1024
    /// Of the bytes that are sent in all, the one behind which it begins.
    private var start: UInt64 = 1024

    enum Change { case begin, end }

    /// What is due.
    func change(_ serial: SerialPort) -> Change? {
        if isOn { return serial.tellsWhenSent ? .end : nil }
        return serial.sent >= start && !serial.tellsWhenSent ? .begin : nil
    }

    mutating func begin(_ isDone: Bool) {
        isOn = isDone
        if !isDone { start = .max }
    }

    mutating func end(_ serial: SerialPort) {
        isOn = false
        patience *= 2
        start = serial.sent + patience
    }
}

extension RunLoop {
    /// Before an exit is handled: what was sent came first.
    mutating func takeCoalesced(_ kernel: Kernel) {
        guard ports?.coalescing.isOn == true, let coalesced = kernel.coalesced else { return }
        // A ring has 170 places. Another vCPU may fill it while it is emptied.
        for _ in 0..<256 {
            guard let byte = vcpu.takeByte(of: coalesced) else { return }
            ports?.serial.write(0, byte)
        }
    }

    mutating func chooseCoalescing(_ kernel: Kernel, _ serial: SerialPort) {
        guard let coalesced = kernel.coalesced else { return }
        switch ports?.coalescing.change(serial) {
        case .begin?:
            ports?.coalescing.begin(coalesced.start())
            armTimer(period(kernel))
        case .end?:
            coalesced.stop()
            takeCoalesced(kernel)
            ports?.coalescing.end(serial)
        case nil: break
        }
    }
}

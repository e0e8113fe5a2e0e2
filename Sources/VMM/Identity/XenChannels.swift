// Event channels: numbered lines to a processor of the domain, each with a bit in the shared page that says that it is pending.
//
// Two-level ones (xen/include/public/event_channel.h, xen.h): a processor's selector says which words to look at, and its
// upcall flag that there is something; a vector, when the kernel has named one, is raised when the flag was clear. Other
// domains there are none, so a channel ends in this one. Read next: ../Devices/KernelRunLoop.swift.

import Glibc
import GuestMemory

struct XenChannels {
    enum Channel: Equatable {
        case free
        /// Waits for a peer of that domain.
        case unbound(UInt64)
        case interdomain(peer: Int)
        case virtual(UInt32)
        case processor
    }

    /// The channels of a 32-bit domain; of 64 bits there could be four times as many.
    static let count = 1024

    var channels = [Channel](repeating: .free, count: count)
    /// Which processor each is for.
    var processors = [Int](repeating: 0, count: count)
    /// By processor: HVMOP_set_evtchn_upcall_vector; 0: none.
    var vectors: [Int: UInt8] = [:]

    /// A new channel; number 0 is never one. Nil when there is none left.
    mutating func open(_ channel: Channel, cpu: Int) -> Int? {
        guard let number = channels[1...].firstIndex(of: .free) else { return nil }
        (channels[number], processors[number]) = (channel, cpu)
        return number
    }

    mutating func close(_ number: Int) {
        if case .interdomain(let peer) = channels[number] { channels[peer] = .unbound(Xen.ownDomain) }
        channels[number] = .free
    }

    subscript(_ number: UInt64) -> Channel { number < UInt64(Self.count) ? channels[Int(number)] : .free }
}

extension Xen {
    mutating func channelCall(
        _ call: XenCall, _ input: [UInt8], _ memory: borrowing GuestMemory
    ) -> XenAnswer {
        switch call.command {
        case 0: bindInterdomain(input, memory)
        case 1: bindVirtual(input)
        case 3, 4, 9: withOpen(input) { $0.act(call.command, Int(input.field(0, 4)), memory) }
        case 5: status(input)
        case 6: alloc(input)
        case 7: bindProcessor(input)
        case 8: withOpen(input) { $0.move(input) }
        case 10: reset(input, memory)
        default: .failed(ENOSYS)  // physical interrupts, and channels by FIFO
        }
    }

    private mutating func opened(_ channel: XenChannels.Channel, cpu: UInt64, _ input: [UInt8], _ offset: Int)
        -> XenAnswer
    {
        guard cpu < UInt64(facts.cpus) else { return .failed(ENOENT) }
        guard let number = channels.open(channel, cpu: Int(cpu)) else { return .failed(ENOSPC) }
        return XenAnswer(0, input.setting(offset, UInt32(number)))
    }

    private mutating func withOpen(_ input: [UInt8], _ body: (inout Self) -> XenAnswer) -> XenAnswer {
        channels[input.field(0, 4)] == .free ? .failed(EINVAL) : body(&self)
    }

    /// alloc_unbound: for a peer in this domain.
    private mutating func alloc(_ input: [UInt8]) -> XenAnswer {
        guard input.field(0, 2) == Self.ownDomain else { return .failed(ESRCH) }
        return opened(.unbound(input.field(2, 2)), cpu: 0, input, 4)
    }

    /// What was sent while it had no peer is lost, so the new end begins with an event.
    private mutating func bindInterdomain(_ input: [UInt8], _ memory: borrowing GuestMemory) -> XenAnswer {
        let remote = input.field(4, 4)
        guard input.field(0, 2) == Self.ownDomain else { return .failed(ESRCH) }
        guard channels[remote] == .unbound(Self.ownDomain) else { return .failed(EINVAL) }
        var answer = opened(.interdomain(peer: Int(remote)), cpu: 0, input, 8)
        guard answer.result == 0 else { return answer }
        let local = Int(answer.output.field(8, 4))
        channels.channels[Int(remote)] = .interdomain(peer: local)
        answer.effect = raise(local, memory).effect
        return answer
    }

    private mutating func bindVirtual(_ input: [UInt8]) -> XenAnswer {
        let (number, cpu) = (UInt32(input.field(0, 4)), input.field(4, 4))
        guard number < 24 else { return .failed(EINVAL) }
        let isBound = channels.channels.indices.contains {
            channels.channels[$0] == .virtual(number) && UInt64(channels.processors[$0]) == cpu
        }
        return isBound ? .failed(EEXIST) : opened(.virtual(number), cpu: cpu, input, 8)
    }

    private mutating func bindProcessor(_ input: [UInt8]) -> XenAnswer {
        opened(.processor, cpu: input.field(0, 4), input, 4)
    }

    /// Of an open channel: close, send, unmask.
    private mutating func act(_ command: UInt64, _ number: Int, _ memory: borrowing GuestMemory) -> XenAnswer {
        switch (command, channels.channels[number]) {
        case (3, _):
            channels.close(number)
            forget(number, memory)
            return XenAnswer(0)
        case (4, .processor): return raise(number, memory)
        case (4, .interdomain(let peer)): return raise(peer, memory)
        case (4, .virtual): return .failed(EINVAL)
        case (4, _): return XenAnswer(0)
        default: return unmask(number, memory)
        }
    }

    /// Not of those that are a processor's own: its messages, and virtual interrupts of the timer, for debugging and profiling.
    private mutating func move(_ input: [UInt8]) -> XenAnswer {
        switch channels[input.field(0, 4)] {
        case .processor, .virtual(0), .virtual(1), .virtual(7), .virtual(13): return .failed(EINVAL)
        default: break
        }
        guard input.field(4, 4) < UInt64(facts.cpus) else { return .failed(ENOENT) }
        channels.processors[Int(input.field(0, 4))] = Int(input.field(4, 4))
        return XenAnswer(0)
    }

    private func status(_ input: [UInt8]) -> XenAnswer {
        let number = input.field(4, 4)
        guard input.field(0, 2) == Self.ownDomain else { return .failed(ESRCH) }
        guard number < UInt64(XenChannels.count) else { return .failed(EINVAL) }
        let (status, detail): (UInt32, UInt32) =
            switch channels[number] {
            case .free: (0, 0)
            case .unbound(let domain): (1, UInt32(domain))
            case .interdomain: (2, UInt32(Self.ownDomain))
            case .virtual(let line): (4, line)
            case .processor: (5, 0)
            }
        var output = input.setting(8, status).setting(12, UInt32(channels.processors[Int(number)])).setting(16, detail)
        if case .interdomain(let peer) = channels[number] { output = output.setting(20, UInt32(peer)) }
        return XenAnswer(0, output)
    }

    private mutating func reset(_ input: [UInt8], _ memory: borrowing GuestMemory) -> XenAnswer {
        guard input.field(0, 2) == Self.ownDomain else { return .failed(ESRCH) }
        for number in channels.channels.indices where channels.channels[number] != .free {
            channels.channels[number] = .free
            forget(number, memory)
        }
        return XenAnswer(0)
    }

    /// What is pending by then is told at once.
    mutating func setUpcallVector(_ input: [UInt8], _ memory: borrowing GuestMemory) -> XenAnswer {
        let (cpu, vector) = (input.field(0, 4), UInt8(input.field(4, 1)))
        guard cpu < UInt64(facts.cpus) else { return .failed(ENOENT) }
        guard vector >= 16 else { return .failed(EINVAL) }  // no vector of the local APIC
        channels.vectors[Int(cpu)] = vector
        var answer = XenAnswer(0)
        let flag = place(cpu: Int(cpu)).flatMap { GuestAtomic(memory, $0) }?.load() ?? 0
        if flag & 0xff != 0 { answer.effect = .upcall(cpu: Int(cpu), vector) }
        return answer
    }
}

extension Xen {
    /// Nanoseconds until a processor's timer is due; nil: it is not set.
    func remaining(cpu: Int) -> UInt64? {
        deadlines[cpu].map { deadline in
            let now = facts.clock.now()
            return deadline > now ? deadline - now : 0
        }
    }

    /// When a processor's timer is due: its VIRQ_TIMER, number 0.
    mutating func expire(cpu: Int, _ memory: borrowing GuestMemory) -> XenEffect {
        guard remaining(cpu: cpu) == 0 else { return .none }
        deadlines[cpu] = nil
        let number = channels.channels.indices.first {
            channels.channels[$0] == .virtual(0) && channels.processors[$0] == cpu
        }
        return number.map { raise($0, memory).effect } ?? .none
    }

    /// Makes a channel pending.
    private func raise(_ number: Int, _ memory: borrowing GuestMemory) -> XenAnswer {
        guard let shared, let pending = word(shared.pending, number, memory) else { return XenAnswer(0) }
        let bit = UInt32(1) << UInt32(number % 32)
        if pending.set(bit) & bit != 0 { return XenAnswer(0) }
        guard let mask = word(shared.mask, number, memory), mask.load() & bit == 0 else { return XenAnswer(0) }
        return tell(number, shared, memory)
    }

    /// What came while it was masked is told now.
    private func unmask(_ number: Int, _ memory: borrowing GuestMemory) -> XenAnswer {
        guard let shared, let mask = word(shared.mask, number, memory) else { return XenAnswer(0) }
        let bit = UInt32(1) << UInt32(number % 32)
        mask.clear(bit)
        let isPending = word(shared.pending, number, memory).map { $0.load() & bit != 0 } ?? false
        return isPending ? tell(number, shared, memory) : XenAnswer(0)
    }

    /// Tells its processor: selector, flag, vector.
    private func tell(_ number: Int, _ shared: XenSharedPage, _ memory: borrowing GuestMemory) -> XenAnswer {
        var answer = XenAnswer(0)
        let cpu = channels.processors[number]
        let selected = UInt32(number / (shared.isLong ? 64 : 32))
        guard let place = place(cpu: cpu), let flag = GuestAtomic(memory, place),
            let selector = GuestAtomic(memory, place + (shared.isLong ? 8 : 4))
        else { return answer }
        _ = selector.set(1 << selected)
        if flag.set(1) & 0xff == 0, let vector = channels.vectors[cpu] { answer.effect = .upcall(cpu: cpu, vector) }
        return answer
    }

    /// Of a channel that is no more nothing is pending: whoever has its number next begins anew.
    private func forget(_ number: Int, _ memory: borrowing GuestMemory) {
        if let shared { word(shared.pending, number, memory)?.clear(UInt32(1) << UInt32(number % 32)) }
    }

    /// The word of a bitmap in the shared page that has a channel's bit.
    private func word(_ bitmap: GuestAddress, _ number: Int, _ memory: borrowing GuestMemory) -> GuestAtomic? {
        GuestAtomic(memory, bitmap + UInt64(number / 32 * 4))
    }
}

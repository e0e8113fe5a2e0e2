// A conversation with a debugger: packets in, answers out, until it lets the guest run, or leaves.
//
// One packet, one case. What is unknown gets the empty answer, by which a debugger learns to do without (GDB manual, E.2).
// Read next: Queries.swift.

import Host
import VMM

/// What a debugger wants of the guest.
enum Command: Equatable {
    case resume(Resumption)
    case detach
    case kill
    /// It is gone without a word.
    case lost
    /// Our own process was asked to stop.
    case signalled(Int32)
}

final class Session {
    let target: any Debuggee
    let channel: Channel
    /// Whether it knows the stop reasons of breakpoints.
    var knowsBreakpoints = false
    /// The vCPU that "s" steps, where it was said.
    private var stepped: Int?

    /// Bytes of memory in one answer; two digits each, in a packet of PacketSize.
    static let packetSize = 0x4000
    static let mostBytes = packetSize / 2 - 16

    init(_ target: any Debuggee, _ channel: Channel) { (self.target, self.channel) = (target, channel) }

    /// Talks until the guest is to run.
    func converse(_ signals: borrowing StopSignals) -> Command {
        while true {
            switch channel.next(signals) {
            case .packet(let bytes): if let command = handle(bytes) { return command }
            case .interrupt: continue  // it stands still already
            case .lost: return .lost
            case .signalled(let signal): return .signalled(signal)
            }
        }
    }

    /// Says why the guest has stopped; a crash in words first.
    func report(_ reason: StopReason) {
        if case .crash(let crash) = reason { tell("guest crashed: \(target.headline(crash))\n") }
        channel.send(reason.packet(knowsBreakpoints: knowsBreakpoints, thread: Self.thread(target.stopped)))
    }

    /// Text for the debugger's user.
    func tell(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            channel.send("O" + hexDigits(rest.prefix(Self.mostBytes)))
            rest = rest.dropFirst(Self.mostBytes)
        }
    }

    /// Nil when the talk goes on.
    func handle(_ packet: [UInt8]) -> Command? {
        let text = String(decoding: packet, as: UTF8.self)
        let rest = text.dropFirst()
        switch packet.first {
        case UInt8(ascii: "?"): report(target.reason)
        case UInt8(ascii: "g"): channel.send(allRegisters)
        case UInt8(ascii: "G"): answer(setAllRegisters(packet.dropFirst()))
        case UInt8(ascii: "p"): channel.send(register(rest) ?? "E01")
        case UInt8(ascii: "P"): answer(setRegister(rest))
        case UInt8(ascii: "m"): channel.send(memory(rest) ?? "E0e")
        case UInt8(ascii: "M"): answer(setMemory(packet.dropFirst(), isBinary: false))
        case UInt8(ascii: "X"): answer(setMemory(packet.dropFirst(), isBinary: true))
        case UInt8(ascii: "Z"), UInt8(ascii: "z"): setBreakpoint(rest, isSet: packet[0] == UInt8(ascii: "Z"))
        case UInt8(ascii: "H"): answer(select(rest))
        case UInt8(ascii: "T"): answer(vcpu(rest) != nil)
        case UInt8(ascii: "c"), UInt8(ascii: "C"), UInt8(ascii: "s"), UInt8(ascii: "S"): return resume(text)
        case UInt8(ascii: "v"): return extended(text)
        case UInt8(ascii: "k"):
            channel.send("X09")  // lldb waits for how the guest ended, gdb does not
            return .kill
        case UInt8(ascii: "D"):
            channel.send("OK")
            return .detach
        case UInt8(ascii: "q"), UInt8(ascii: "Q"), UInt8(ascii: "j"): channel.send(query(text) ?? "")
        default: channel.send("")
        }
        return nil
    }

    private func answer(_ isDone: Bool) { channel.send(isDone ? "OK" : "E01") }

    /// "c", "s", or with a signal that a guest has no use for; an address to go on at.
    private func resume(_ text: String) -> Command {
        let hasSignal = text.hasPrefix("C") || text.hasPrefix("S")
        let address = hasSignal ? text.split(separator: ";").dropFirst().first : text.dropFirst()
        if let place = address.flatMap({ number(hex: $0) }) { target.registers?.instructionPointer = place }
        if text.hasPrefix("c") || text.hasPrefix("C") { return .resume(.go(Array(0..<target.vcpuCount))) }
        return .resume(.step(stepped ?? target.stopped))
    }

    private static let actions = "vCont;"

    private func extended(_ text: String) -> Command? {
        if text == "vCont?" {
            channel.send("vCont;c;C;s;S")
        } else if text.hasPrefix(Self.actions), let how = resumption(text.dropFirst(Self.actions.count)) {
            return .resume(how)
        } else if text.hasPrefix("vKill") {
            channel.send("OK")
            return .kill
        } else {
            channel.send("")
        }
        return nil
    }

}

/// vCPUs as threads: numbered from 1, "-1" for all and "0" for any.
extension Session {
    static func thread(_ vcpu: Int) -> String { String(vcpu + 1, radix: 16) }

    /// Of a thread that there is.
    func vcpu(_ text: some StringProtocol) -> Int? {
        guard let number = number(hex: text), (1...UInt64(target.vcpuCount)).contains(number) else { return nil }
        return Int(number) - 1
    }

    /// "gTHREAD": registers and memory from now on. "cTHREAD": steps.
    private func select(_ text: Substring) -> Bool {
        let name = text.dropFirst()
        let one = vcpu(name)
        guard let letter = text.first, "gcs".contains(letter), one != nil || ["-1", "0"].contains(name) else {
            return false
        }
        if letter != "g" { stepped = one } else if let one { target.selected = one }
        return true
    }

    /// "ACTION[:THREAD];...": of those for a vCPU the first is its. Who gets none stands still.
    private func resumption(_ text: Substring) -> Resumption? {
        var steps: [Int: Bool] = [:]
        for part in text.split(separator: ";") {
            let pieces = part.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let action = part.first, "cCsS".contains(action) else { return nil }
            let isAll = pieces.count < 2 || pieces[1] == "-1"
            guard isAll || vcpu(pieces[1]) != nil else { return nil }
            for one in isAll ? Array(0..<target.vcpuCount) : vcpu(pieces[1]).map({ [$0] }) ?? [] where steps[one] == nil
            {
                steps[one] = action == "s" || action == "S"
            }
        }
        if steps.isEmpty { return nil }
        if steps[target.stopped] == true { return .step(target.stopped) }
        if let first = steps.filter(\.value).keys.min() { return .step(first) }
        return .go(steps.keys.sorted())
    }
}

extension Session {
    private var allRegisters: String {
        guard let file = target.registers else { return "E01" }
        return target.table.registers.map { hexDigits(file.value($0)) }.joined()
    }

    /// Fewer than all are the first ones. What may not change may be sent unchanged.
    private func setAllRegisters(_ digits: ArraySlice<UInt8>) -> Bool {
        guard var file = target.registers, let all = bytes(hex: digits) else { return false }
        var rest = all[...]
        for register in target.table.registers where rest.count >= register.bits / 8 {
            if !file.set(register, Array(rest.prefix(register.bits / 8))) { return false }
            rest = rest.dropFirst(register.bits / 8)
        }
        target.registers = file
        return true
    }

    private func numbered(_ digits: some StringProtocol) -> Register? {
        let registers = target.table.registers
        guard let number = number(hex: digits), number < UInt64(registers.count) else { return nil }
        return registers[Int(number)]
    }

    private func register(_ text: Substring) -> String? {
        let name = text.prefix { $0 != ";" }  // lldb adds the thread
        guard let register = numbered(name), let file = target.registers else { return nil }
        return hexDigits(file.value(register))
    }

    private func setRegister(_ text: Substring) -> Bool {
        let parts = text.prefix { $0 != ";" }.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2, let register = numbered(parts[0]), let value = bytes(hex: Array(parts[1].utf8)),
            var file = target.registers, file.set(register, value)
        else { return false }
        target.registers = file
        return true
    }

    /// "ADDRESS,COUNT"
    private func place(_ text: some StringProtocol) -> (address: UInt64, count: Int)? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = number(hex: parts[0]), let count = number(hex: parts[1]) else {
            return nil
        }
        return (address, Int(min(count, UInt64(Self.mostBytes))))
    }

    /// As many bytes as there are; nil when there is none.
    private func memory(_ text: Substring) -> String? {
        guard let (address, count) = place(text) else { return nil }
        let bytes = target.read(address, count)
        return bytes.isEmpty && count > 0 ? nil : hexDigits(bytes)
    }

    /// "ADDRESS,COUNT:" and digits, or bytes themselves.
    private func setMemory(_ packet: ArraySlice<UInt8>, isBinary: Bool) -> Bool {
        guard let colon = packet.firstIndex(of: UInt8(ascii: ":")),
            let (address, count) = place(String(decoding: packet[..<colon], as: UTF8.self))
        else { return false }
        let content = packet[(colon + 1)...]
        guard let bytes = isBinary ? Packet.unescaped(content) : bytes(hex: content), bytes.count == count else {
            return false
        }
        return bytes.isEmpty || target.write(bytes, at: address)
    }

    /// "KIND,ADDRESS,SIZE"; conditions are the debugger's own to check.
    private func setBreakpoint(_ text: Substring, isSet: Bool) {
        let parts = text.prefix { $0 != ";" }.split(separator: ",")
        guard parts.count == 3, let kind = number(hex: parts[0]), let address = number(hex: parts[1]),
            let size = number(hex: parts[2])
        else { return channel.send("E01") }
        let kindNumber = Int(min(kind, 9))
        let isDone = isSet ? target.insert(kindNumber, address, size) : target.remove(kindNumber, address, size)
        channel.send(isDone.map { $0 ? "OK" : "E0e" } ?? "")
    }
}

// A conversation with a debugger without a machine, for fuzzers: the packets are real, the guest is 64 KiB and some registers.
//
// Not part of the public API: `@_spi(InventedExits) import Debugger`. Read next: Session.swift.

import Host
import KVM
import VMM

@_spi(InventedExits) public struct InventedDebugger {
    private let guest: InventedGuest
    private let session: Session
    private var reader = PacketReader()
    /// The debugger has left, or has killed the guest.
    public private(set) var isOver = false
    /// Packets that came through whole.
    public private(set) var packets = 0

    public init(vcpus: Int) {
        guest = InventedGuest(vcpus: vcpus)
        session = Session(guest, Channel(Console(input: -1, output: -1), nil))
    }

    /// A packet as it is sent.
    public static func framed(_ content: [UInt8]) -> [UInt8] { Packet.framed(content) }

    /// What comes from the debugger; false when that is more than any packet can be.
    public mutating func feed(_ bytes: [UInt8]) -> Bool {
        guard reader.feed(bytes) else { return false }
        while !isOver, let item = reader.next() {
            guard case .packet(let content) = item else { continue }
            packets += 1
            switch session.handle(content) {
            case nil: break
            case .resume(let how)?:
                guest.goOn(how)
                session.report(guest.reason)
            case .detach?, .kill?, .lost?, .signalled?: isOver = true
            }
        }
        return true
    }

    /// Whether what was sent last is a packet, and no longer than was promised.
    public var answersWell: Bool {
        let answer = session.channel.last
        var reader = PacketReader()
        guard !answer.isEmpty, reader.feed(answer), case .packet? = reader.next() else { return packets == 0 || isOver }
        return reader.next() == nil && answer.count <= Session.packetSize + 4
    }

    /// Whether no vCPU was given what KVM would refuse, or what it has not been told to watch.
    public var guestIsSane: Bool { guest.isSane }
}

/// vCPUs with registers, memory at 0x40000.
private final class InventedGuest: Debuggee {
    private static let start: UInt64 = 0x4_0000
    private var memory = [UInt8](repeating: 0x90, count: 0x1_0000)
    private var files: [RegisterFile]
    private var breakpoints = Breakpoints()
    private var software: Set<UInt64> = []
    private(set) var reason = StopReason.start
    private(set) var stopped = 0
    private var turns = 0
    var selected = 0
    let table = RegisterTable(is64Bit: true, hasAVX: true)

    init(vcpus: Int) {
        let file = RegisterFile(Registers(), SpecialRegisters(), vector: [UInt8](repeating: 0, count: 4096))
        files = Array(repeating: file, count: vcpus)
    }

    var vcpuCount: Int { files.count }
    var registers: RegisterFile? {
        get { files[selected] }
        set { if let newValue { files[selected] = newValue } }
    }

    /// Stops of each kind, one after the other, on the last of those that ran.
    func goOn(_ how: Resumption) {
        switch how {
        case .step(let number): (stopped, reason) = (number, .step)
        case .go(let numbers):
            let kinds: [StopReason] = [
                .breakpoint(isSoftware: true), .watchpoint(Self.start, isAccess: true), .interrupt, .trap,
            ]
            (stopped, reason) = (numbers[numbers.count - 1], kinds[turns % kinds.count])
            turns += 1
        }
        selected = stopped
    }

    /// Where it lies; nil when not all of it is memory.
    private func place(_ address: UInt64, _ count: Int) -> Range<Int>? {
        let offset = address &- Self.start
        guard offset < UInt64(memory.count), count <= memory.count - Int(offset) else { return nil }
        return Int(offset)..<Int(offset) + count
    }

    func read(_ address: UInt64, _ count: Int) -> [UInt8] { place(address, count).map { Array(memory[$0]) } ?? [] }

    func write(_ bytes: [UInt8], at address: UInt64) -> Bool {
        guard let place = place(address, bytes.count) else { return false }
        memory.replaceSubrange(place, with: bytes)
        return true
    }

    func insert(_ kind: Int, _ address: UInt64, _ size: UInt64) -> Bool? {
        if kind == 0 { return place(address, 1) != nil && software.insert(address).memberAfterInsert == address }
        return WatchKind(rawValue: kind).map { breakpoints.watch(.init(kind: $0, address: address, size: size)) }
    }

    func remove(_ kind: Int, _ address: UInt64, _ size: UInt64) -> Bool? {
        if kind == 0 { return software.remove(address) != nil }
        guard let kind = WatchKind(rawValue: kind) else { return nil }
        breakpoints.unwatch(.init(kind: kind, address: address, size: size))
        return true
    }

    func monitor(_ command: String) -> String { command + "\n" }

    func headline(_ crash: Crash) -> String { "" }

    var isSane: Bool {
        var debug = GuestDebug()
        breakpoints.fill(&debug)
        let controls = debug.control == 0 || debug.control & 0x700 == 0x700
        return controls && (0..<vcpuCount).contains(selected) && files.allSatisfy { takesByKVM($0) }
    }

    /// Bases that are canonical, and no reserved bits of MXCSR.
    private func takesByKVM(_ file: RegisterFile) -> Bool {
        table.registers.allSatisfy { register in
            let value = file.value(register).prefix(8).reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            switch register.source {
            case .base: return value >> 47 == 0 || value >> 47 == 0x1_ffff
            case .vectorControl: return value & ~0xffbf == 0
            default: return true
            }
        }
    }
}

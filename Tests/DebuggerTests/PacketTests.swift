// The protocol's bytes: framing, checksums, escapes, Ctrl-C between packets, and streams cut anywhere.
//
// Read next: RegisterTests.swift.

import Testing

@testable import Debugger

@Suite struct PacketTests {
    private func items(_ bytes: [UInt8], pieces: Int = .max) -> [PacketReader.Item] {
        var (reader, items, rest) = (PacketReader(), [PacketReader.Item](), bytes[...])
        while !rest.isEmpty {
            let isTaken = reader.feed(Array(rest.prefix(pieces)))
            #expect(isTaken)
            rest = rest.dropFirst(min(pieces, rest.count))
            while let item = reader.next() { items.append(item) }
        }
        return items
    }

    @Test func aPacketIsFramed() {
        #expect(Packet.framed(Array("OK".utf8)) == Array("$OK#9a".utf8))
        #expect(Packet.framed([]) == Array("$#00".utf8))
        #expect(Packet.framed(Array("a}b#c$d*".utf8)) == Array("$a}]b}\u{3}c}\u{4}d}\u{a}#".utf8) + Array("ec".utf8))
        #expect(Packet.unescaped(Array("a}]b}\u{3}".utf8)) == Array("a}b#".utf8))
    }

    @Test(arguments: [1, 2, 3, 7, Int.max])
    func streamsAreTakenApart(pieces: Int) {
        let stream = Array("+$g#67\u{3}+$m1,2#fc-$x#00 $OK#9A".utf8)
        #expect(
            items(stream, pieces: pieces) == [
                .packet(Array("g".utf8)), .interrupt, .packet(Array("m1,2".utf8)), .repeatLast, .damaged,
                .packet(Array("OK".utf8)),
            ])
    }

    @Test(arguments: ["$g#", "$g#6", "$g", "$", "", "$g#zz", "$g#+7", "#67"])
    func whatIsNoPacketIsNone(text: String) {
        #expect(!items(Array(text.utf8)).contains { if case .packet = $0 { true } else { false } })
    }

    @Test func nobodyFillsOurMemory() {
        var reader = PacketReader()
        let part = [UInt8](repeating: 0x24, count: 1000)
        var count = 0
        while reader.feed(part), count < 1000 { count += 1 }
        #expect(count * 1000 <= 2 * PacketReader.largest)
    }

    @Test func numbersAreHexadecimalAndNothingElse() {
        #expect(number(hex: "ffffffffffffffff") == .max && number(hex: "10000000000000000") == nil)
        #expect(
            number(hex: "") == nil && number(hex: "-1") == nil && number(hex: "+1") == nil && number(hex: "g") == nil)
        #expect(bytes(hex: Array("00fF".utf8)) == [0, 255] && bytes(hex: Array("0".utf8)) == nil)
        #expect(hexDigits([0, 10, 255]) == "000aff")
    }

    @Test func addresses() {
        #expect(DebuggerAddress("unix:/a:b") == .unix("/a:b") && DebuggerAddress("tcp:0") == .tcp(0))
        #expect(DebuggerAddress("-") == .standard)
        for text in ["", "unix:", "tcp:", "tcp:65536", "tcp:-1", "/a"] { #expect(DebuggerAddress(text) == nil) }
    }
}

// Exits in words: what a sentence says of an exception that ring 3 reports, and of a port like it that is none.
//
// Read next: Sources/Observe/TraceWords.swift.

import Testing

@testable import Observe

@Suite struct TraceWordsTests {
    private func words(port: UInt64, size: UInt32, isTrap: Bool = false) -> String {
        var event = ExitEvent(ExitKey(.portWrite, port), size: size, data: 7)
        event.isTrap = isTrap
        var bytes: [UInt8] = []
        TraceWords.append(.exit(event, rip: 0x1000, place: "main+0x4"), to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func aStubsReportIsAnException() {
        let said = words(port: 13, size: 4, isTrap: true)
        #expect(said.hasPrefix("At main+0x4: general protection (#GP, vector 13): the stub at its vector reports it"))
        #expect(!said.contains("port bus"))
    }

    @Test func portsLikeItAreNone() {
        #expect(words(port: 13, size: 1).contains("OUT writes 0x7 (1 byte) to port 0xd"))
        #expect(words(port: 13, size: 4).contains("OUT writes 0x7 (4 bytes) to port 0xd"))
        #expect(words(port: 32, size: 4).contains("OUT writes 0x7 (4 bytes) to port 0x20"))
    }
}

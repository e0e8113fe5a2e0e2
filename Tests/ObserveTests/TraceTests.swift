// A trace's bytes: JSON that parses, slices that do not overlap, text that cannot break out of its column.
//
// Read next: StacksTests.swift.

import Foundation
import Testing

@testable import Observe

@Suite struct TraceTests {
    private func event(_ at: UInt64, _ key: ExitKey, data: UInt64? = nil, size: UInt32 = 0) -> ExitEvent {
        var event = ExitEvent(key, size: size, data: data)
        (event.entered, event.left) = (at, at + 1001)
        (event.began, event.handled) = (at + 1002, at + 1_002_003)
        return event
    }

    private func bytes(_ format: TraceFormat, _ items: [TraceItem], title: String = "t") -> [UInt8] {
        items.reduce(into: format.header(title)) { format.append($1, to: &$0) } + format.footer
    }

    private func parsed(_ bytes: [UInt8]) throws -> [[String: Any]] {
        try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [[String: Any]])
    }

    private var items: [TraceItem] {
        [
            .exit(event(5, ExitKey(.portWrite, 0x3f8), data: 65, size: 1), rip: 0x4_0001, place: "main+0x1"),
            .exit(event(2_000_000, ExitKey(.kick)), rip: .max, place: nil),
            .injection(vector: 32, at: 3_500_000),
            .stop(why: "exit", status: 3, at: 4_000_001),
        ]
    }

    @Test func eachOfSeveralVCPUsHasItsTracks() throws {
        var second = event(5, ExitKey(.kick))
        second.vcpu = 1
        let items = [TraceItem.exit(second, rip: 1, place: nil), .injection(vector: 32, at: 9, vcpu: 1)]
        let bytes = items.reduce(into: TraceFormat.json.header("t", vcpus: 2)) { TraceFormat.json.append($1, to: &$0) }
        let events = try parsed(bytes + TraceFormat.json.footer)
        let names = events.dropFirst().prefix(4).compactMap { ($0["args"] as? [String: String])?["name"] }
        #expect(names == ["vCPU 0 guest", "vCPU 0 handler", "vCPU 1 guest", "vCPU 1 handler"])
        #expect(events.dropFirst(5).map { $0["tid"] as? Int } == [3, 4, 3])
        let text = items.reduce(into: [UInt8]()) { TraceFormat.text.append($1, to: &$0) }
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        #expect(lines[0].contains("  vCPU 1 0x1 - kick"))
        #expect(lines[1].hasSuffix("  vCPU 1 interrupt 32"))
    }

    @Test func wordsSayWhatHappenedAndWhatItCost() {
        let text = String(decoding: bytes(.words, items), as: UTF8.self)
        let lines = text.split(separator: "\n")
        #expect(lines.first?.hasPrefix("t: every exit") == true)
        #expect(
            lines.dropFirst() == [
                "At main+0x1: OUT writes 0x41 (1 byte) to port 0x3f8.",
                "  KVM_RUN took 1.001 us, the port bus 1001.001 us.",
                "At 0xffffffffffffffff: a signal took the vCPU out of the guest: "
                    + "a stop, a timer, or somebody who has news for it.",
                "  KVM_RUN took 1.001 us, the run loop 1001.001 us.",
                "  Swiftlet injects interrupt 32: the guest's handler comes next.",
                "The machine stops (exit) with status 3.",
            ])
    }

    @Test(arguments: [
        (ExitKind.memoryRead, "a load of 4 bytes from guest-physical 0x7, where no slot is"), (.halt, "HLT, and"),
        (.shutdown, "a triple fault"), (.internalError, "could not emulate the instruction (suberror 7)"),
        (.registerRead, "RDMSR of 0x7"), (.wake, "started by another"), (.failed, "failed with error 7"),
        (.memoryWrite, "a store of a value (4 bytes) to guest-physical 0x7"),
        (.portRead, "IN reads 4 bytes from port 0x7"),
    ])
    func everyKindHasWords(kind: ExitKind, words: String) {
        let item = TraceItem.exit(event(5, ExitKey(kind, 7), size: 4), rip: 1, place: nil)
        let text = String(decoding: bytes(.words, [item]), as: UTF8.self)
        #expect(text.contains("At 0x1: ") && text.contains(words), "\(text)")
    }

    @Test func jsonHasEveryField() throws {
        let events = try parsed(bytes(.json, items)).dropFirst(3).map { $0 }
        #expect(events.map { $0["ph"] as? String } == ["X", "X", "X", "X", "i", "i"])
        #expect(events.map { $0["tid"] as? Int } == [1, 2, 1, 2, 1, 2])
        #expect(events[0]["ts"] as? Double == 0.005)
        #expect(events[0]["dur"] as? Double == 1.001)
        #expect((events[0]["args"] as? [String: String]) == ["until": "port-write"])
        #expect((events[1]["ts"] as? Double, events[1]["dur"] as? Double) == (1.007, 1001.001))
        let arguments = try #require(events[1]["args"] as? [String: Any])
        #expect(
            NSDictionary(dictionary: arguments)
                == [
                    "rip": "0x40001", "symbol": "main+0x1", "reason": "port-write", "port": "0x3f8", "data": "0x41",
                    "size": 1,
                ])
        #expect((events[3]["args"] as? [String: String]) == ["rip": "0xffffffffffffffff", "reason": "kick"])
        #expect(events[5]["name"] as? String == "stop: exit")
    }

    /// Every kind of exit, with a name of its own for what it is about: two equal keys in an object would lose one.
    @Test(
        arguments: [
            (.call, "call"), (.portRead, "port"), (.memoryWrite, "address"), (.internalError, "suberror"),
            (.failEntry, "code"), (.other, "code"), (.failed, "errno"),
        ] as [(ExitKind, String)])
    func detailsHaveNames(kind: ExitKind, name: String) throws {
        let events = try parsed(bytes(.json, [.exit(event(1, ExitKey(kind, 0xabc)), rip: 1, place: nil)]))
        let expected = ["rip": "0x1", "reason": kind.rawValue, name: "0xabc"]
        #expect((events[4]["args"] as? [String: String]) == expected)
    }

    @Test func aTraceOfNothingIsJSON() throws {
        #expect(try parsed(bytes(.json, [])).count == 3)
    }

    /// File names and symbols are somebody else's.
    @Test(arguments: ["\"", "\\", "a\"b\\c", "\u{1}\n", "é\u{301}\"", "\"\u{301}"])
    func hostileNamesAreQuoted(name: String) throws {
        let events = try parsed(bytes(.json, [.exit(event(1, ExitKey(.halt)), rip: 1, place: name)], title: name))
        let expected = String(String.UnicodeScalarView(name.unicodeScalars.map { $0.value < 32 ? " " : $0 }))
        #expect((events[0]["args"] as? [String: String])?["name"] == expected)
        #expect((events[4]["args"] as? [String: String])?["symbol"] == expected)
    }

    @Test func textIsALineEach() {
        let lines = String(decoding: bytes(.text, items), as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(lines.count == 6)
        #expect(
            lines[2] == "000.000001006         1.001      1001.001  0x40001 main+0x1 port-write 0x3f8 <- 0x41 (1)")
        #expect(lines[3].hasSuffix("  0xffffffffffffffff - kick"))
        #expect(lines[4] == "000.003500000  interrupt 32")
        #expect(lines[5] == "000.004000001  stop: exit, status 3")
    }

    @Test(
        arguments: [
            (0, "0.000"), (999, "0.999"), (1000, "1.000"), (1_234_567, "1234.567"), (.max, "18446744073709551.615"),
        ] as [(UInt64, String)])
    func numbersAreWrittenInFull(value: UInt64, text: String) {
        var bytes: [UInt8] = []
        bytes.add(microseconds: value)
        #expect(String(decoding: bytes, as: UTF8.self) == text)
        bytes = []
        bytes.add(hex: value)
        #expect(String(decoding: bytes, as: UTF8.self) == "0x" + String(value, radix: 16))
    }

    @Test func namesTellTheFormat() {
        #expect(TraceFormat(path: "a.json") == .json && TraceFormat(path: "-") == .text)
        #expect(TraceFormat(path: "a.jsonl") == .text && TraceFormat(path: "json") == .text)
    }
}

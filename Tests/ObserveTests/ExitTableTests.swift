// Exits counted by what they were about, and the report made of them.
//
// Read next: TraceTests.swift.

import Foundation
import Testing

@testable import Observe

@Suite struct ExitTableTests {
    private func event(_ key: ExitKey, run: UInt64 = 10, handler: UInt64 = 1) -> ExitEvent {
        var event = ExitEvent(key)
        (event.entered, event.left) = (100, 100 + run)
        (event.began, event.handled) = (150 + run, 150 + run + handler)
        return event
    }

    @Test func eachKeyHasItsLine() {
        var table = ExitTable()
        let keys = [ExitKey(.call, 1), ExitKey(.call, 2), ExitKey(.portWrite, 1), ExitKey(.kick)]
        for (index, key) in keys.enumerated() {
            for _ in 0...index { table.record(event(key)) }
        }
        table.record(event(keys[0], run: 70, handler: 3))
        #expect(keys.map { table.count($0) } == [2, 2, 3, 4])
        #expect(table.count(ExitKey(.portRead, 1)) == 0)
        #expect((table.exits, table.run, table.handler) == (11, 170, 13))
        #expect((table.lines[0].run.total, table.lines[0].handler.total) == (80, 4))
    }

    @Test func theTablesOfTwoVCPUsAddUp() {
        var (one, other) = (ExitTable(), ExitTable())
        one.record(event(ExitKey(.call, 1)))
        other.record(event(ExitKey(.kick), run: 70))
        other.record(event(ExitKey(.call, 1), handler: 3))
        (one.waited, other.waited) = (5, 6)
        one.add(observer: 2)
        other.add(observer: 3)
        one.add(other)
        #expect((one.count(ExitKey(.call, 1)), one.count(ExitKey(.kick))) == (2, 1))
        #expect((one.run, one.handler, one.observer, one.waited) == (90, 5, 5, 11))
        other.waited = nil
        one.add(other)
        #expect(one.waited == nil)
    }

    /// A guest that names a new address with each exit fills no memory.
    @Test func tableIsBounded() {
        var table = ExitTable()
        for address in 0..<10_000 as Range<UInt64> { table.record(event(ExitKey(.memoryWrite, address))) }
        #expect(table.lines.count == ExitTable.capacity)
        #expect(table.count(ExitKey(.memoryWrite, 7)) == 1)
        #expect(table.count(.rest) == 10_000 - UInt64(ExitTable.capacity) + 1)
        #expect(table.exits == 10_000)
    }

    private func report(emptyRun: UInt64?, waited: UInt64? = 400) -> ExitReport {
        var table = ExitTable()
        for _ in 0..<4 { table.record(event(ExitKey(.call, 33), run: 1000, handler: 20)) }
        table.record(event(ExitKey(.portRead, 0x60), run: 2000, handler: 40))
        table.add(observer: 6)
        table.waited = waited
        return ExitReport(table, frequency: 2_000_000_000, emptyRun: emptyRun)
    }

    private func parsed(_ report: ExitReport) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data("{\(report.json)}".utf8))
        return try #require(object as? [String: Any])
    }

    @Test func cyclesBecomeNanoseconds() throws {
        let json = try parsed(report(emptyRun: 600))
        let time = try #require(json["time"] as? [String: Int])
        #expect(
            time == [
                "run_ns": 3000, "kernel_ns": 1500, "guest_ns": 1100, "handler_ns": 60, "observer_ns": 3,
                "empty_exit_ns": 300, "waited_ns": 400,
            ])
        let exits = try #require(json["exits"] as? [[String: Any]])
        #expect(exits.map { $0["kind"] as? String } == ["call", "port-read"], "the most time first")
        #expect(exits.map { $0["count"] as? Int } == [4, 1])
        #expect(exits[1]["port"] as? String == "0x60")
        let run = try #require(exits[0]["run_ns"] as? [String: Int])
        #expect(run == ["total": 2000, "min": 500, "p50": 500, "p90": 500, "p99": 500, "p999": 500, "max": 500])
    }

    /// Entries and exits never take more than KVM_RUN did; what was not measured is not invented.
    @Test func kernelsShareIsBoundedOrUnknown() throws {
        let time = try #require(try parsed(report(emptyRun: 5000))["time"] as? [String: Int])
        #expect((time["kernel_ns"], time["guest_ns"]) == (2600, 0))
        let all = try parsed(report(emptyRun: 600, waited: .max / 2))["time"] as? [String: Int]
        #expect((all?["kernel_ns"], all?["guest_ns"]) == (0, 0))
        let unknown = report(emptyRun: nil, waited: nil)
        let object = try #require(try parsed(unknown)["time"] as? [String: Any])
        #expect(["guest_ns", "kernel_ns", "waited_ns", "empty_exit_ns"].allSatisfy { object[$0] is NSNull })
        #expect(unknown.text.components(separatedBy: "not known").count == 4)
    }

    @Test func aGuestsPartIsUnknownWhereWaitingIs() throws {
        let time = try #require(try parsed(report(emptyRun: 600, waited: nil))["time"] as? [String: Any])
        #expect(time["guest_ns"] is NSNull && time["waited_ns"] is NSNull && time["kernel_ns"] as? Int == 1500)
    }

    @Test func textNamesPortsAndCounts() {
        let lines = report(emptyRun: 600).text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(lines.contains { $0.prefix(3) == ["call", "4", "66.7%"] })
        #expect(lines.contains { $0.prefix(5) == ["port-read", "0x60", "1", "33.3%", "1.00"] })
        #expect(lines.contains(["in", "the", "guest", "1.10", "us"]))
    }
}

// What clients send: requests on the control socket, scrapes of the metrics.
//
// Read next: ../../Sources/Hosting/ControlRequest.swift.

import Testing

@testable import Hosting

@Suite struct RequestTests {
    @Test func aRequestIsALine() throws {
        #expect(try ControlRequest(received: Array("list".utf8)) == nil)
        #expect(try ControlRequest(received: Array("list\n".utf8)) == .list)
        #expect(try ControlRequest(received: Array(ControlRequest.reload.line.utf8)) == .reload)
        #expect(try ControlRequest(received: Array("start a-b.c_1\r\n".utf8)) == .machine(.start, id: "a-b.c_1"))
        for verb in ControlRequest.Verb.allCases {
            let request = ControlRequest.machine(verb, id: "x")
            #expect(try ControlRequest(received: Array(request.line.utf8)) == request)
        }
    }

    @Test(arguments: [
        "\n", "boom x\n", "start\n", "start a b\n", "list x\n", "reload x\n", "start ../x\n", "start \u{1b}[2J\n",
        "start " + String(repeating: "x", count: 33) + "\n", String(repeating: "x", count: 128),
    ])
    func anythingElseIsRefusedInWords(text: String) throws {
        let error = try #require(throws: ControlError.self) { try ControlRequest(received: Array(text.utf8)) }
        #expect(!error.message.isEmpty)
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", HTTPRequest.Verdict.get), ("GET / HTTP/1.0\n\n", .get),
        ("POST / HTTP/1.1\r\n\r\n", .otherMethod), ("\r\n\r\n", .wrong), ("GET /\r\n\r\n", .wrong),
    ])
    func aScrapeIsSeenByItsHead(text: String, verdict: HTTPRequest.Verdict) {
        var request = HTTPRequest()
        for byte in text.utf8.dropLast() { request.take([byte]) }
        #expect(request.verdict == nil)
        request.take([UInt8](text.utf8.suffix(1)))
        #expect(request.verdict == verdict)
    }

    @Test func aHeadWithoutAnEndIsNoRequest() {
        var request = HTTPRequest()
        for _ in 0..<9000 { request.take([0x41]) }
        #expect(request.verdict == .wrong)
    }

    @Test func countersEndInTotalAndTheWholeInEOF() {
        var report = MachineReport(id: "m", name: "", vendor: "", description: "", state: "running")
        (report.pid, report.starts, report.restarts, report.uptimeSeconds) = (7, 3, 2, 1.5)
        let text = Metrics([report]).text
        #expect(text.hasSuffix("# EOF\n"))
        #expect(text.contains("# TYPE swiftlet_machine_restarts counter\n"))
        #expect(text.contains("swiftlet_machine_restarts_total{machine=\"m\"} 2\n"))
        #expect(text.contains("swiftlet_machine_uptime_seconds{machine=\"m\"} 1.5\n"))
        #expect(!text.contains("swiftlet_machine_exits_total{"))
    }

    @Test func aLogKeepsItsEnd() {
        var log = ConsoleLog()
        for _ in 0..<40 { log.append(Array(repeating: 0x61, count: 10_000)) }
        log.append(Array("end".utf8))
        #expect(log.bytes.count == ConsoleLog.capacity && log.bytes.suffix(3).elementsEqual("end".utf8))
        #expect(log.total == 400_003)
    }
}

// A server in this process, its clients, and those who mean no good: none of them is in another's way.
//
// Read next: Tests/GuestTests/ServeTests.swift, where guests answer.

import Glibc
import Host
import Synchronization
import TestSupport
import Testing

@testable import Service

/// Answers with its input, upper-cased; "sleep" sleeps for a moment; "big" answers with a mebibyte; counts.
final class Shouter: Callee {
    let calls = Atomic<Int>(0)
    let refusals = Atomic<Int>(0)

    let recovered = Atomic<Int>(0)

    func call(_ input: [UInt8]) -> (CallAnswer, Void) {
        calls.add(1, ordering: .relaxed)
        return (answer(input), ())
    }

    func recover(_ used: Void) { recovered.add(1, ordering: .relaxed) }

    private func answer(_ input: [UInt8]) -> CallAnswer {
        switch String(decoding: input, as: UTF8.self) {
        case "sleep":
            usleep(200_000)
            return CallAnswer(.exited(3), words: "slept")
        case "big": return CallAnswer(.exited(0), Array(repeating: 0x2e, count: 1 << 20))
        case let text: return CallAnswer(.exited(UInt8(input.count & 0xff)), words: text.uppercased())
        }
    }

    func answered(_ answer: CallAnswer, inputSize: Int, nanoseconds: UInt64) {}
    func refused(_ reason: String) { refusals.add(1, ordering: .relaxed) }
}

/// A server in a folder of its own, ended with this value.
final class RunningServer: Sendable {
    let folder = ScratchFolder()
    let callee = Shouter()
    let server: Server<Shouter>
    var path: String { "\(folder.path)/socket" }

    init(_ change: (inout ServiceLimits) -> Void = { _ in }) throws {
        var limits = ServiceLimits()
        limits.request = 1000
        change(&limits)
        server = try Server(callee, at: Listener("\(folder.path)/socket"), limits)
    }

    deinit { _ = server.stop(nanoseconds: 20_000_000_000) }

    func call(_ text: String) throws -> CallAnswer { try Client(path).call(Array(text.utf8)) }

    /// Sends bytes as they are, and gives what comes back until the other side hangs up.
    func raw(_ bytes: [UInt8]) throws -> [UInt8] {
        let socket = try StreamSocket(connectingTo: path)
        _ = socket.send(bytes)
        var answer: [UInt8] = []
        while case .done = socket.receive(into: &answer, atMost: 4096) {}
        return answer
    }

    /// Waits for what must come; tests have no other limit.
    func waits(_ isSo: () -> Bool) -> Bool {
        for _ in 0..<20_000 where !isSo() { usleep(1000) }
        return isSo()
    }
}

/// A thread and the number that it comes to.
final class Caller: Sendable {
    private let thread: Mutex<Thread?>
    private let value = Shared()

    init(_ body: @escaping @Sendable () -> Int) throws {
        let value = value
        thread = Mutex(try Thread { value.value = Int32(body()) })
    }

    func result() -> Int {
        thread.withLock { $0.take()?.join() }
        return Int(value.value)
    }
}

/// Half a request, and nothing more.
final class Half: Sendable {
    private let socket: StreamSocket

    init(_ path: String) throws {
        socket = try StreamSocket(connectingTo: path)
        _ = socket.send(CallRequest.magic + [10, 0, 0, 0, 1])
    }
}

@Suite struct ServerTests {
    @Test func answersOneAfterTheOtherOnOneConnection() throws {
        let server = try RunningServer()
        let client = try Client(server.path)
        for text in ["a", "", "third"] {
            #expect(
                try client.call(Array(text.utf8)) == CallAnswer(.exited(UInt8(text.count)), words: text.uppercased()))
        }
        #expect(try client.call(Array("big".utf8)).output.count == 1 << 20)
    }

    @Test func onlyItsUserMayCall() throws {
        let server = try RunningServer()
        var status = stat()
        #expect(stat(server.path, &status) == 0 && status.st_mode & 0o7777 == 0o600)
    }

    /// Several at once, more than there are workers; each gets its own answers.
    @Test func manyCallAtOnce() throws {
        let server = try RunningServer()
        let callers = try (0..<16).map { caller in
            try Caller {
                (0..<50).count { call in
                    let text = "caller \(caller) call \(call)"
                    return (try? server.call(text))?.output == Array(text.uppercased().utf8)
                }
            }
        }
        #expect(callers.map { $0.result() } == Array(repeating: 50, count: 16))
        #expect(server.callee.calls.load(ordering: .relaxed) == 800)
        #expect(server.waits { server.callee.recovered.load(ordering: .relaxed) == 800 })
    }

    @Test func garbageIsAnsweredAndHungUpOn() throws {
        let server = try RunningServer()
        for bytes in [Array("GET / HTTP/1.1\r\n\r\n".utf8), [0], CallRequest.magic + [0xff, 0xff, 0xff, 0xff]] {
            let answer = try server.raw(bytes)
            let header = try #require(CallAnswer.header(answer.prefix(8)))
            #expect(header.end == .refused && header.count == answer.count - 8 && header.count > 10)
        }
        #expect(try server.call("still here").output == Array("STILL HERE".utf8))
        #expect(server.callee.refusals.load(ordering: .relaxed) == 3)
    }

    @Test func tooLongARequestGetsWords() throws {
        let server = try RunningServer()
        let answer = try Client(server.path).call(Array(repeating: 0x61, count: 1_000_000))
        #expect(answer.end == .refused)
        #expect(String(decoding: answer.output, as: UTF8.self) == "a request of 1000000 bytes, and the limit is 1000")
    }

    /// Whoever sends half a request and waits has others served meanwhile, and is hung up on.
    @Test func halfSentRequestsAreInNobodysWay() throws {
        let server = try RunningServer { $0.patience = 50_000_000 }
        let half = try StreamSocket(connectingTo: server.path)
        _ = half.send(CallRequest.magic + [10, 0, 0, 0, 1])
        #expect(try server.call("x").output == [0x58])
        let isHungUp = server.waits {
            server.server.watch()
            return server.server.connectionCount == 0
        }
        #expect(isHungUp)
        var bytes: [UInt8] = []
        let transfer = half.receive(into: &bytes, atMost: 8)
        #expect(transfer == .end || transfer == .gone)
    }

    /// One that takes no answers keeps no worker from others, and loses its connection in the end.
    @Test func answersThatNobodyTakesAreInNobodysWay() throws {
        let server = try RunningServer { $0.patience = 50_000_000 }
        let deaf = try StreamSocket(connectingTo: server.path)
        _ = deaf.send(CallRequest.bytes(Array("big".utf8)))
        #expect(server.waits { server.callee.calls.load(ordering: .relaxed) == 1 })
        #expect(try server.call("x").output == [0x58])
        let isHungUp = server.waits {
            server.server.watch()
            return server.server.connectionCount == 0
        }
        #expect(isHungUp)
    }

    /// The one that has been idle for longest gives way; where none is idle, the new one is told.
    @Test func connectionsAreBounded() throws {
        let server = try RunningServer {
            $0.connections = 2
            $0.workers = 4
        }
        let first = try Client(server.path)
        #expect(try first.call([0x61]).output == [0x41])
        #expect(server.waits { server.server.idleCount == 1 })
        let second = try Client(server.path)
        #expect(try second.call([0x62]).output == [0x42])
        #expect(server.waits { server.server.idleCount == 2 })
        #expect(try server.call("c").output == [0x43])
        #expect(throws: CallError.self) { try first.call([0x61]) }
        #expect(server.waits { server.server.connectionCount == 1 && server.server.idleCount == 1 })
        let sleepers = try (0..<2).map { _ in try Caller { Int((try? server.call("sleep"))?.end.exitStatus ?? -1) } }
        #expect(server.waits { server.callee.calls.load(ordering: .relaxed) == 5 })
        let refusal = try? server.call("d")
        #expect(refusal?.end == .refused || refusal?.end == .exited(1), "refused, unless the sleepers were done before")
        #expect(sleepers.map { $0.result() } == [3, 3])
    }

    /// However many half-sent requests there are, who sends a whole one is answered.
    @Test func halfSentRequestsGiveWay() throws {
        let server = try RunningServer { $0.connections = 4 }
        let halves = try (0..<12).map { _ in try Half(server.path) }
        for _ in 0..<20 { #expect(try server.call("x").output == [0x58]) }
        #expect(server.server.connectionCount <= 4)
        withExtendedLifetime(halves) {}
    }

    @Test func callersThatLeaveAreForgotten() throws {
        let server = try RunningServer()
        for _ in 0..<20 {
            let socket = try StreamSocket(connectingTo: server.path)
            _ = socket.send(CallRequest.bytes(Array("sleepless".utf8)))
        }
        #expect(try server.call("x").output == [0x58])
        #expect(server.waits { server.server.connectionCount == 0 })
    }

    /// What runs is answered, what comes later is not, and the file is gone.
    @Test func endsWhenRunningCallsAreAnswered() throws {
        let server = try RunningServer()
        let idle = try Client(server.path)
        #expect(try idle.call([0x61]).output == [0x41])
        let sleeper = try Caller { Int((try? server.call("sleep"))?.end.exitStatus ?? -1) }
        #expect(server.waits { server.callee.calls.load(ordering: .relaxed) == 2 })
        #expect(server.server.stop(nanoseconds: 20_000_000_000))
        #expect(sleeper.result() == 3)
        #expect(FileIdentity(server.path) == nil)
        #expect(throws: CallError.self) { try idle.call([0x61]) }
        #expect(throws: CallError.self) { try server.call("x") }
    }
}

@Suite struct ListenerTests {
    private let folder = ScratchFolder()

    private func message(_ path: String) -> String {
        do throws(ListenError) {
            _ = try Listener(path)
            return ""
        } catch { return error.message }
    }

    @Test func takesThePlaceOfADeadServerOnly() throws {
        let path = "\(folder.path)/socket"
        do {
            let left = try StreamSocket(listeningAt: path)
            #expect(message(path).contains("somebody listens there already"))
            _ = consume left
        }
        #expect(FileIdentity(path)?.isSocket == true, "a server that was killed leaves its file")
        #expect(message(path) == "")
        #expect(FileIdentity(path) == nil, "one that ends does not")
        let file = try folder.file("file", [1])
        #expect(message(file).contains("something else than a socket"))
        #expect(FileIdentity(file)?.isSocket == false)
    }

    @Test func pathsThatCannotBeAreRefused() {
        #expect(message("\(folder.path)/none/socket").contains("No such file"))
        #expect(message("/tmp/" + String(repeating: "a", count: 120)).contains("at most 107 bytes"))
        #expect(message("") == "'': a socket needs a path")
    }

    /// Another server's file under that name is left alone.
    @Test func removesOnlyItsOwnFile() throws {
        let path = "\(folder.path)/socket"
        let listener = try Listener(path)
        removeFile(path)
        let other = try StreamSocket(listeningAt: path)
        _ = consume listener
        #expect(FileIdentity(path)?.isSocket == true)
        _ = consume other
    }
}

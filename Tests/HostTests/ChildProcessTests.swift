// Programs that we start: how they end is told truly, they are talked to by pipes, and none outlives its owner.

import Glibc
import Host
import Testing

@Suite struct ChildProcessTests {
    private static let patient: UInt64 = 3_600_000_000_000

    @Test(arguments: [0, 1, 77, 255] as [Int32])
    func exitStatusComesThrough(status: Int32) throws {
        var child = try ChildProcess("/bin/sh", ["-c", "exit \(status)"])
        #expect(child.finish(limit: Self.patient).end == .exited(status))
    }

    @Test func signalsAreTold() throws {
        var child = try ChildProcess("/bin/sh", ["-c", "kill -TERM $$"])
        #expect(child.finish(limit: Self.patient).end == .killed(signal: SIGTERM))
    }

    @Test func whoStaysTooLongIsKilled() throws {
        var child = try ChildProcess("/bin/sleep", ["3600"])
        let (end, nanoseconds) = child.finish(limit: 20_000_000)
        #expect(end == .overtime)
        #expect(nanoseconds >= 20_000_000)
        #expect(kill(child.pid, 0) == -1 && errno == ESRCH)
    }

    /// A stop ends every wait, and the program with it.
    @Test func aStopIsALimit() throws {
        let stop = try Pipe()
        stop.write([1])
        var child = try ChildProcess("/bin/sleep", ["3600"], talks: true, stop: stop.reader)
        #expect(child.read(nanoseconds: Self.patient) == nil)
        #expect(child.finish(limit: Self.patient).end == .overtime)
        #expect(kill(child.pid, 0) == -1 && errno == ESRCH)
    }

    @Test func getsVariablesBesideTheUsualOnes() throws {
        var child = try ChildProcess(
            "/bin/sh", ["-c", "echo $TOLD $TERM"], talks: true, variables: ["TOLD=in words"])
        #expect(child.read(nanoseconds: Self.patient) == "in words dumb\n")
        #expect(child.finish(limit: Self.patient).end == .exited(0))
    }

    @Test func aDescriptorIsReadFromTheEnvironment() {
        #expect(descriptorFromEnvironment("SWIFTLET_TEST_NOTHING") == nil)
        for (text, number) in [("7", 7), ("x", nil), ("", nil), ("99999999999", nil)] as [(String, Int32?)] {
            setenv("SWIFTLET_TEST_DESCRIPTOR", text, 1)
            #expect(descriptorFromEnvironment("SWIFTLET_TEST_DESCRIPTOR") == number)
        }
        unsetenv("SWIFTLET_TEST_DESCRIPTOR")
    }

    @Test func talksByPipes() throws {
        var child = try ChildProcess("/bin/cat", [], talks: true)
        child.type("spoken\n")
        #expect(child.read(nanoseconds: Self.patient) == "spoken\n")
        try child.closeInput()
        #expect(child.read(nanoseconds: Self.patient) == nil)
        #expect(child.finish(limit: Self.patient).end == .exited(0))
    }

    @Test func withoutTalkInputIsAtItsEnd() throws {
        var child = try ChildProcess("/bin/cat", [])
        #expect(child.read(nanoseconds: Self.patient) == nil)
        #expect(child.finish(limit: Self.patient).end == .exited(0))
    }

    @Test func noneOutlivesItsOwner() throws {
        let pid = try ChildProcess("/bin/sleep", ["3600"]).pid
        #expect(kill(pid, 0) == -1 && errno == ESRCH)
    }

    @Test func aMissingProgramIsAnError() {
        #expect(throws: HostError("posix_spawn", "/nowhere/program", errno: ENOENT)) {
            _ = try ChildProcess("/nowhere/program", [])
        }
    }
}

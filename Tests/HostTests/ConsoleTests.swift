// The console's two descriptors, pipes between threads, and the terminal: results, ends and what is put back.
//
// Read next: SignalTests.swift.

import Glibc
import Host
import TestSupport
import Testing

private func write(_ console: Console, _ bytes: [UInt8]) -> ConsoleResult { console.write(bytes.span.bytes) }

private func read(_ console: Console, _ count: Int) -> (ConsoleResult, [UInt8]) {
    withZeroedBytes(count) { console.read(&$0) }
}

@Suite struct ConsoleTests {
    init() { signal(SIGPIPE, SIG_IGN) }

    @Test func bytesGoThrough() {
        let pipe = BlockingPipe()
        let console = Console(input: pipe.reader, output: pipe.writer)
        #expect(write(console, Array("hello".utf8)) == .done(5))
        let (result, bytes) = read(console, 8)
        #expect(result == .done(5))
        #expect(bytes.starts(with: Array("hello".utf8)))
        #expect(write(console, []) == .done(0))
    }

    @Test func readerThatIsGoneIsSaid() {
        let pipe = BlockingPipe()
        pipe.closeReader()
        #expect(write(Console(input: -1, output: pipe.writer), [1]) == .gone)
    }

    @Test func endOfInputIsZeroBytes() {
        let pipe = BlockingPipe()
        pipe.closeWriter()
        #expect(read(Console(input: pipe.reader, output: -1), 4).0 == .done(0))
        #expect(read(Console(input: -1, output: -1), 4).0 == .done(0), "closed: as if at its end")
    }

    @Test func notReadyIsSaid() {
        let pipe = BlockingPipe()
        for end in [pipe.reader, pipe.writer] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        let console = Console(input: pipe.reader, output: pipe.writer)
        #expect(read(console, 4).0 == .notReady)
        _ = pipe.fill()
        #expect(write(console, [UInt8](repeating: 0, count: 5000)) == .notReady)
    }

    @Test func otherErrorsAreNamed() {
        let file = AnonymousFile([1])
        let readOnly = open("/proc/self/fd/\(file.fd)", O_RDONLY)
        defer { close(readOnly) }
        #expect(write(Console(input: -1, output: readOnly), [1]) == .failed(errno: EBADF))
        let folder = open("/", O_RDONLY)
        defer { close(folder) }
        #expect(read(Console(input: folder, output: -1), 1).0 == .failed(errno: EISDIR))
    }

    /// The person's terminal went away: no error of the guest's, and nothing more to read.
    @Test func hungUpTerminalIsAtItsEnd() {
        let line: Int32
        do {
            let terminal = PseudoTerminal()
            line = dup(terminal.line)
        }
        defer { close(line) }
        #expect(read(Console(input: line, output: line), 1).0 == .done(0))
    }
}

@Suite struct PipeTests {
    @Test func bytesGoThroughAndTheEndIsSeen() throws {
        var pipe = try Pipe()
        #expect(readAvailable(pipe.reader, 8) == nil, "nothing there yet")
        pipe.write([1, 2, 3])
        #expect(readAvailable(pipe.reader, 2) == [1, 2])
        #expect(readAvailable(pipe.reader, 8) == [3])
        pipe.closeWriter()
        #expect(readAvailable(pipe.reader, 8) == [], "the end")
        pipe.closeWriter()
        pipe.write([1])
        #expect(readAvailable(-1, 8) == [], "an error counts as the end")
    }

    @Test func writerNeverBlocks() throws {
        let pipe = try Pipe()
        for _ in 0..<100 { pipe.write([UInt8](repeating: 1, count: 4096)) }
        var total = 0
        while let bytes = readAvailable(pipe.reader, 65536) { total += bytes.count }
        #expect(total >= 4096 && total < 100 * 4096, "what did not fit is lost")
    }
}

@Suite struct RawTerminalTests {
    @Test func rawThenAsItWas() throws {
        let terminal = PseudoTerminal()
        let before = terminal.settings
        do {
            let raw = RawTerminal(terminal.line)
            let during = terminal.settings
            #expect(raw == nil ? false : during[3] & UInt32(ICANON | ISIG | ECHO | IEXTEN) == 0)
            #expect(during[0] & UInt32(ICRNL | IXON) == 0)
            #expect(during[1] & UInt32(OPOST) != 0, "a guest's newline still returns the carriage")
        }
        #expect(terminal.settings == before)
    }

    @Test func hungUpTerminalIsLeftInPeace() {
        let line: Int32
        var raw: RawTerminal?
        do {
            let terminal = PseudoTerminal()
            line = dup(terminal.line)
            raw = RawTerminal(line)
        }
        raw = nil
        _ = consume raw
        close(line)
    }

    @Test func noTerminalNoRawMode() {
        let pipe = BlockingPipe()
        let isNil = RawTerminal(pipe.reader) == nil
        #expect(isNil)
    }
}
